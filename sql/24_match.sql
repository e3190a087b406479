-- Who is calling: models, decisions, reviews.

CREATE TABLE callsync.match_model (
	destination pg_catalog.text NOT NULL,
	version pg_catalog.int4 NOT NULL CHECK (version OPERATOR(pg_catalog.>) 0),
	active pg_catalog.bool NOT NULL DEFAULT false,
	parameters pg_catalog.jsonb NOT NULL,
	training pg_catalog.jsonb NOT NULL DEFAULT '{}',
	created_at pg_catalog.timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
	created_by pg_catalog.name NOT NULL DEFAULT SESSION_USER,
	activated_at pg_catalog.timestamptz,
	PRIMARY KEY (destination, version)
);
CREATE UNIQUE INDEX match_model_active ON callsync.match_model (destination) WHERE active;
COMMENT ON TABLE callsync.match_model IS
'Trained models per destination; the one that is active decides, without one the model as shipped (version 0). parameters: lambda (share of callers on file), rho (share of strangers who call from a line on file), rho_email, household, and m and u per field and level. training: what it was trained on and how it would have changed recent decisions.';
CREATE TRIGGER match_model_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON callsync.match_model
	FOR EACH STATEMENT EXECUTE FUNCTION callsync.match_config_changed();

-- Further fields as evidence.
CREATE TABLE callsync.match_field (
	destination pg_catalog.text NOT NULL,
	field pg_catalog.text NOT NULL CHECK (pg_catalog.length(field) OPERATOR(pg_catalog.<=) 60 AND field OPERATOR(pg_catalog.<>) ''),
	kind pg_catalog.text NOT NULL DEFAULT 'text' CHECK (kind IN ('text', 'words', 'code', 'digits', 'date')),
	is_key pg_catalog.bool NOT NULL DEFAULT false,
	m_exact pg_catalog.float8 CHECK (m_exact OPERATOR(pg_catalog.>) 0 AND m_exact OPERATOR(pg_catalog.<) 1),
	m_near pg_catalog.float8 CHECK (m_near OPERATOR(pg_catalog.>) 0 AND m_near OPERATOR(pg_catalog.<) 1),
	u_exact pg_catalog.float8 CHECK (u_exact OPERATOR(pg_catalog.>) 0 AND u_exact OPERATOR(pg_catalog.<) 1),
	u_near pg_catalog.float8 CHECK (u_near OPERATOR(pg_catalog.>) 0 AND u_near OPERATOR(pg_catalog.<) 1),
	PRIMARY KEY (destination, field)
);
COMMENT ON TABLE callsync.match_field IS
'Fields of the contacts of a destination, beside name, phone, e-mail and postal code, that count as evidence: company, street, country, owner_id, or members of contact.fields. Written by set_match_field(). m_exact, m_near: how often the field of the right contact agrees, or nearly; u_exact, u_near: how often by chance (u_exact is a floor: the frequency of the value counts). NULL: as shipped for the kind.';
CREATE TRIGGER match_field_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON callsync.match_field
	FOR EACH STATEMENT EXECUTE FUNCTION callsync.match_config_changed();
SELECT pg_catalog.pg_extension_config_dump('callsync.match_field', '');

CREATE FUNCTION callsync.set_match_field(destination pg_catalog.text, field pg_catalog.text, kind pg_catalog.text DEFAULT 'text', is_key pg_catalog.bool DEFAULT false,
	m_exact pg_catalog.float8 DEFAULT NULL, m_near pg_catalog.float8 DEFAULT NULL, u_exact pg_catalog.float8 DEFAULT NULL, u_near pg_catalog.float8 DEFAULT NULL)
RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $f$
#variable_conflict use_column
BEGIN
	IF kind IS NOT NULL AND kind NOT IN ('text', 'words', 'code', 'digits', 'date') THEN
		RAISE EXCEPTION 'kind of field "%" is not known', kind
			USING ERRCODE = 'invalid_parameter_value', HINT = 'Kinds are text, words, code, digits and date; NULL removes the field.';
	END IF;
	IF kind IS NOT NULL AND (SELECT count(*) FROM callsync.match_field f WHERE f.destination = set_match_field.destination AND f.field <> set_match_field.field) >= 12 THEN
		RAISE EXCEPTION 'destination "%" has twelve match fields already', set_match_field.destination
			USING ERRCODE = 'program_limit_exceeded', HINT = 'Remove one with set_match_field(destination, field, NULL).';
	END IF;
	DELETE FROM callsync.match_field f WHERE f.destination = set_match_field.destination AND f.field = set_match_field.field;
	IF kind IS NOT NULL THEN
		INSERT INTO callsync.match_field VALUES (set_match_field.destination, set_match_field.field, set_match_field.kind, coalesce(set_match_field.is_key, false),
			set_match_field.m_exact, set_match_field.m_near, set_match_field.u_exact, set_match_field.u_near);
	END IF;
	-- keys and counts of the contacts that are there already
	IF EXISTS (SELECT FROM callsync.contact c WHERE c.destination = set_match_field.destination) THEN
		PERFORM callsync.rebuild_contact_keys();
	END IF;
END
$f$;
COMMENT ON FUNCTION callsync.set_match_field(text, text, text, bool, float8, float8, float8, float8) IS
'Makes a field of a destination''s contacts evidence: company, street, country, owner_id, or a member of contact.fields; what a call gives for it is the member of that name of match_caller''s argument fields. kind: text (words, slips allowed), words (order free), code (letters and digits, the same or not), digits (also said as words, one slip allowed), date (any usual writing); NULL removes the field. is_key: contacts are also found by it (customer number, date of birth). m_*, u_*: see table match_field. Rebuilds the key table where there are contacts already.';

CREATE FUNCTION callsync.match_caller(destination pg_catalog.text, phone pg_catalog.text DEFAULT NULL, email pg_catalog.text DEFAULT NULL,
	name pg_catalog.text DEFAULT NULL, postal_code pg_catalog.text DEFAULT NULL, spoken_phone pg_catalog.text DEFAULT NULL,
	region pg_catalog.text DEFAULT NULL, account_id pg_catalog.text DEFAULT NULL, fields pg_catalog.jsonb DEFAULT NULL,
	OUT decision pg_catalog.text, OUT contact_id pg_catalog.text, OUT probability pg_catalog.float8, OUT runner_up pg_catalog.text,
	OUT margin pg_catalog.float8, OUT evidence pg_catalog.jsonb, OUT explanation pg_catalog.text, OUT model_version pg_catalog.int4,
	OUT prior pg_catalog.float8, OUT total pg_catalog.float8, OUT reason pg_catalog.text, OUT candidates pg_catalog.jsonb)
LANGUAGE C STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'callsync_match_caller_fn';
COMMENT ON FUNCTION callsync.match_caller(text, text, text, text, text, text, text, text, jsonb) IS
'Which contact of the destination is calling. decision: match (contact_id is the caller), new (nobody on file), review (a person has to look; contact_id is the best guess). probability: that the best candidate is the caller, records of one person taken together. runner_up: the best candidate that is another person, margin: how far behind. evidence: [{field, level, call, contact, m, u, tf, weight}] of the best candidate; prior + the sum of the weights = total, in bits (log2 odds against nobody on file). explanation: the same in short, +PHONE+FIRST(nick)-ZIP. reason: why it is no match (ambiguous, weak, no_identifier, name_contradicts, suffix_conflict). candidates: the five best. fields: further evidence {field: value}, of the fields declared with set_match_field(). Thresholds and the identifiers that may link, in order, are options of the destination: thresholds {"match": 0.9, "review": 0.2}, identifiers ["phone", "email", "name_postal", ...]. Reads the mirror only, no network.';

CREATE FUNCTION callsync.train_matching(destination pg_catalog.text) RETURNS pg_catalog.int4
LANGUAGE C STRICT VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'callsync_train_matching_fn';
COMMENT ON FUNCTION callsync.train_matching(text) IS
'Learns a matching model from the newest 20,000 calls (nobody has to label them) and from the verdicts of reviews, by expectation maximisation, and stores it as a new version in callsync.match_model, whose number is returned. It decides nothing until activate_model(destination, version). match_model.training shows what it was learnt from and how it would have decided the same calls: {"unchanged": n, "changed": {"review -> match": n, ...}}.';

CREATE FUNCTION callsync.activate_model(destination pg_catalog.text, version pg_catalog.int4) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $f$
BEGIN
	IF activate_model.version IS NULL OR activate_model.destination IS NULL OR (activate_model.version <> 0 AND NOT EXISTS (
		SELECT FROM callsync.match_model m WHERE m.destination = activate_model.destination AND m.version = activate_model.version)) THEN
		RAISE EXCEPTION 'destination "%" has no model version %', activate_model.destination, activate_model.version
			USING ERRCODE = 'undefined_object',
			      HINT = 'train_matching(destination) makes one; version 0 is the model as shipped.';
	END IF;
	-- one after the other: there may be one active version only
	PERFORM 1 FROM callsync.match_model m WHERE m.destination = activate_model.destination ORDER BY m.version FOR UPDATE;
	UPDATE callsync.match_model m SET active = false
	WHERE m.destination = activate_model.destination AND m.active AND m.version <> activate_model.version;
	UPDATE callsync.match_model m SET active = true, activated_at = clock_timestamp()
	WHERE m.destination = activate_model.destination AND m.version = activate_model.version AND NOT m.active;
	INSERT INTO callsync.audit (action, object, detail)
	VALUES ('activate_model', activate_model.destination, jsonb_build_object('version', activate_model.version));
END
$f$;
COMMENT ON FUNCTION callsync.activate_model(text, int) IS
'Lets a version of the matching model decide from now on; 0 goes back to the model as shipped. Decisions already taken stay; each names its model_version.';

-- Every decision on a call, append-only: what was known, what was decided, by which model, and why.
CREATE TABLE callsync.match_decision (
	id pg_catalog.int8 GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	destination pg_catalog.text NOT NULL,
	source pg_catalog.text NOT NULL,
	call_id pg_catalog.text NOT NULL,
	decided_at pg_catalog.timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
	decision pg_catalog.text NOT NULL CHECK (decision IN ('match', 'new', 'review')),
	contact_id pg_catalog.text,
	probability pg_catalog.float8 NOT NULL,
	runner_up pg_catalog.text,
	margin pg_catalog.float8 NOT NULL,
	prior pg_catalog.float8 NOT NULL,
	total pg_catalog.float8 NOT NULL,
	reason pg_catalog.text,
	explanation pg_catalog.text NOT NULL,
	evidence pg_catalog.jsonb NOT NULL,
	candidates pg_catalog.jsonb NOT NULL,
	model_version pg_catalog.int4 NOT NULL,
	caller pg_catalog.jsonb NOT NULL
);
CREATE INDEX match_decision_call ON callsync.match_decision (call_id, source, destination, id);
CREATE INDEX match_decision_recent ON callsync.match_decision (destination, id);
COMMENT ON TABLE callsync.match_decision IS
'Every matching decision on a call, append-only: the caller as told by the call, decision, probability, evidence (see match_caller), runner-up, and the version of the model. The newest one of a call and destination is in force.';

CREATE TABLE callsync.review_item (
	id pg_catalog.int8 GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	destination pg_catalog.text NOT NULL,
	source pg_catalog.text NOT NULL,
	call_id pg_catalog.text NOT NULL,
	decision_id pg_catalog.int8 NOT NULL,
	opened_at pg_catalog.timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
	state pg_catalog.text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'reviewed', 'settled')),
	verdict pg_catalog.text CHECK (verdict IN ('same', 'different', 'new')),
	contact_id pg_catalog.text,
	reviewed_by pg_catalog.name,
	reviewed_at pg_catalog.timestamptz,
	UNIQUE (destination, source, call_id)
);
CREATE INDEX review_item_open ON callsync.review_item (opened_at) WHERE state OPERATOR(pg_catalog.=) 'open';
COMMENT ON TABLE callsync.review_item IS
'Calls whose caller a person has to decide on, and the verdicts. state: open, reviewed (by a person), settled (a later event of the call made the decision certain). contact_id: who it is, by the verdict; NULL for nobody on file.';

CREATE VIEW callsync.review_queue AS
SELECT r.id AS review_id, r.destination, r.source, r.call_id, r.opened_at, d.reason, d.probability, d.contact_id, d.runner_up,
	d.explanation, d.caller, d.candidates, d.evidence, d.model_version, r.decision_id
FROM callsync.review_item r JOIN callsync.match_decision d ON d.id OPERATOR(pg_catalog.=) r.decision_id
WHERE r.state OPERATOR(pg_catalog.=) 'open';
COMMENT ON VIEW callsync.review_queue IS
'Calls that wait for a person to say who called: the caller as told by the call, the candidates with scores, and why it was not decided. Answer with review(review_id, verdict, contact_id).';
