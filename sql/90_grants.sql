-- The parts 90 to 99 are the only place where privileges are given. First everything is taken
-- from PUBLIC, then each role gets what its work needs.
REVOKE ALL ON ALL TABLES IN SCHEMA callsync FROM PUBLIC;
REVOKE ALL ON ALL SEQUENCES IN SCHEMA callsync FROM PUBLIC;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA callsync FROM PUBLIC;

-- Names may be looked up by everybody; what is behind them is granted one by one.
GRANT USAGE ON SCHEMA callsync TO PUBLIC;

-- Phones: pure functions of their arguments, and what operators, indexes and casts of
-- type phone call; whoever has a column of that type needs them.
GRANT EXECUTE ON FUNCTION
	callsync.phone_in(cstring), callsync.phone_out(callsync.phone), callsync.phone_recv(internal), callsync.phone_send(callsync.phone),
	callsync.phone_eq(callsync.phone, callsync.phone), callsync.phone_ne(callsync.phone, callsync.phone),
	callsync.phone_lt(callsync.phone, callsync.phone), callsync.phone_le(callsync.phone, callsync.phone),
	callsync.phone_gt(callsync.phone, callsync.phone), callsync.phone_ge(callsync.phone, callsync.phone),
	callsync.phone_cmp(callsync.phone, callsync.phone), callsync.phone_sortsupport(internal),
	callsync.phone_hash(callsync.phone), callsync.phone_hash_extended(callsync.phone, bigint),
	callsync.phone_larger(callsync.phone, callsync.phone), callsync.phone_smaller(callsync.phone, callsync.phone),
	callsync.max(callsync.phone), callsync.min(callsync.phone),
	callsync.phone_prefix(callsync.phone, text), callsync.phone_prefix_low(text), callsync.phone_prefix_high(text),
	callsync.phone_near(callsync.phone, callsync.phone), callsync.phone_neighbours(callsync.phone),
	callsync.phone_distance(callsync.phone, callsync.phone),
	callsync.to_phone(text, text), callsync.to_phone(callsync.phone, text),
	callsync.try_phone(text, text), callsync.try_phone(callsync.phone, text),
	callsync.phone_parse(text, text), callsync.phone_parse(callsync.phone, text),
	callsync.format_phone(callsync.phone, text), callsync.phone_region(callsync.phone), callsync.phone_type(callsync.phone),
	callsync.phone_is_valid(callsync.phone), callsync.phone_is_possible(callsync.phone), callsync.phone_metadata_version(),
	callsync.caller_id(text, text), callsync.caller_id(callsync.phone, text),
	callsync.same_caller(text, text, text), callsync.same_caller(callsync.phone, callsync.phone, text),
	callsync.same_caller(callsync.phone, text, text), callsync.same_caller(text, callsync.phone, text)
	TO PUBLIC;
