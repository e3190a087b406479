-- Matching: anybody who may look may compare names and ask who is calling; users of the mirror write it.
GRANT EXECUTE ON FUNCTION callsync.email_canonical(text), callsync.email_heard(text), callsync.name_similarity(text, text),
	callsync.name_distance(text, text), callsync.name_matches(text, text), callsync.contact_cid(text, text)
	TO callsync_worker, callsync_reader, callsync_operator, callsync_admin;
GRANT EXECUTE ON FUNCTION callsync.match_caller(text, text, text, text, text, text, text, text, jsonb)
	TO callsync_worker, callsync_reader, callsync_operator, callsync_admin;
GRANT SELECT ON callsync.contact, callsync.nickname, callsync.match_model, callsync.match_field, callsync.match_decision, callsync.review_item, callsync.review_queue
	TO callsync_worker, callsync_reader, callsync_operator, callsync_admin;
GRANT INSERT, UPDATE, DELETE ON callsync.contact TO callsync_worker, callsync_operator, callsync_admin;
GRANT TRUNCATE ON callsync.contact TO callsync_admin;
GRANT INSERT, UPDATE, DELETE ON callsync.nickname TO callsync_operator, callsync_admin;
GRANT INSERT ON callsync.match_decision TO callsync_worker;
GRANT INSERT, UPDATE ON callsync.review_item TO callsync_worker;
GRANT EXECUTE ON FUNCTION callsync.fold_contact_terms() TO callsync_worker, callsync_operator, callsync_admin;
GRANT EXECUTE ON FUNCTION callsync.rebuild_contact_keys(),
	callsync.set_match_field(text, text, text, bool, float8, float8, float8, float8) TO callsync_admin;
GRANT EXECUTE ON FUNCTION callsync.train_matching(text), callsync.activate_model(text, int) TO callsync_operator, callsync_admin;
GRANT EXECUTE ON FUNCTION callsync.review(bigint, text, text) TO callsync_operator, callsync_admin;
GRANT EXECUTE ON FUNCTION callsync.find_duplicates(text, float8), callsync.contact_person_keys(callsync.contact), callsync.duplicate_rate(text)
	TO callsync_reader, callsync_operator, callsync_admin;
GRANT SELECT ON callsync.related_record TO callsync_worker, callsync_reader, callsync_operator, callsync_admin;
GRANT INSERT, UPDATE, DELETE ON callsync.related_record TO callsync_worker, callsync_operator, callsync_admin;
GRANT EXECUTE ON FUNCTION callsync.caller_context(text, text, text), callsync.mirrored_destinations(), callsync.phone_person_key(text, text)
	TO callsync_reader, callsync_operator, callsync_admin;
GRANT SELECT ON callsync.duplicate_candidates, callsync.reviewed_duplicate, callsync.match_accuracy TO callsync_reader, callsync_operator, callsync_admin;
