-- The caller-id layer: what a caller id field really holds.

CREATE FUNCTION callsync.caller_id(raw pg_catalog.text, region pg_catalog.text DEFAULT NULL,
	OUT kind pg_catalog.text, OUT phone callsync.phone, OUT extension pg_catalog.text, OUT test_range pg_catalog.bool, OUT detail pg_catalog.text)
	RETURNS pg_catalog.record
	AS 'MODULE_PATHNAME', 'callsync_caller_id_sql' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION callsync.caller_id(pg_catalog.text, pg_catalog.text) IS
'Classifies what stands in a caller id field: numbers in any spelling, tel:, sip: and sips: URIs, display names, P-Asserted-Identity and Remote-Party-ID, chat ids of the form platform:number.

kind        number      a line that can be called back: phone is its key
            short_code  a short number of the region, or a service code such as *67
            emergency   an emergency number of the region
            withheld    the caller hides or the network does not say: "anonymous" and its like in many languages, sip:anonymous@anonymous.invalid, Privacy, +266696687 (the word on a keypad), only zeros
            invalid     nothing that could be called back; detail says why
phone       the number, for kind number only: no other kind is ever a match key
extension   digits of an extension
test_range  the number is set aside for films, books and tests (555-0100 to 555-0199, Ofcom''s and other authorities'' drama numbers)
detail      what was found or done, for people
A privacy word in the display name wins over a number beside it; "unknown" does not. Of several numbers in one field the first valid one counts.
Example: SELECT * FROM caller_id(''"Bob" <sip:+12125550147@10.0.0.1;user=phone>'');';

CREATE FUNCTION callsync.same_caller(a pg_catalog.text, b pg_catalog.text, region pg_catalog.text DEFAULT NULL) RETURNS pg_catalog.bool
	AS 'MODULE_PATHNAME', 'callsync_same_caller_sql' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION callsync.same_caller(pg_catalog.text, pg_catalog.text, pg_catalog.text) IS
'Whether two raw phone texts name the same line.

Both are read as caller_id(.., region) reads them. Two numbers: equal or not. Where the country of one is not known (no "+", region NULL), its digits without leading zeros, 8 at least, must be the end of the other''s.
Different extensions are different lines; withheld callers, short codes and texts without a number equal nothing, not even themselves. NULL if one of the texts is NULL.
Example: SELECT same_caller(''0170 1234567'', ''+49 170 1234567'');  -- true';

-- A phone that is already one goes wherever a text with a phone goes.
CREATE FUNCTION callsync.caller_id(raw callsync.phone, region pg_catalog.text DEFAULT NULL,
	OUT kind pg_catalog.text, OUT phone callsync.phone, OUT extension pg_catalog.text, OUT test_range pg_catalog.bool, OUT detail pg_catalog.text)
	RETURNS pg_catalog.record LANGUAGE SQL IMMUTABLE PARALLEL SAFE
	BEGIN ATOMIC SELECT c.kind, c.phone, c.extension, c.test_range, c.detail FROM callsync.caller_id($1::pg_catalog.text, $2) c; END;
COMMENT ON FUNCTION callsync.caller_id(callsync.phone, pg_catalog.text) IS 'As caller_id(text, region), for a value of type phone.';
CREATE FUNCTION callsync.same_caller(a callsync.phone, b callsync.phone, region pg_catalog.text DEFAULT NULL) RETURNS pg_catalog.bool
	LANGUAGE SQL IMMUTABLE PARALLEL SAFE
	BEGIN ATOMIC SELECT $1 OPERATOR(callsync.=) $2; END;
COMMENT ON FUNCTION callsync.same_caller(callsync.phone, callsync.phone, pg_catalog.text) IS 'Whether two phones are the same line.';
CREATE FUNCTION callsync.same_caller(a callsync.phone, b pg_catalog.text, region pg_catalog.text DEFAULT NULL) RETURNS pg_catalog.bool
	LANGUAGE SQL IMMUTABLE PARALLEL SAFE
	BEGIN ATOMIC SELECT callsync.same_caller($1::pg_catalog.text, $2, $3); END;
COMMENT ON FUNCTION callsync.same_caller(callsync.phone, pg_catalog.text, pg_catalog.text) IS 'As same_caller(text, text, region), for a phone and a raw text.';
CREATE FUNCTION callsync.same_caller(a pg_catalog.text, b callsync.phone, region pg_catalog.text DEFAULT NULL) RETURNS pg_catalog.bool
	LANGUAGE SQL IMMUTABLE PARALLEL SAFE
	BEGIN ATOMIC SELECT callsync.same_caller($1, $2::pg_catalog.text, $3); END;
COMMENT ON FUNCTION callsync.same_caller(pg_catalog.text, callsync.phone, pg_catalog.text) IS 'As same_caller(text, text, region), for a raw text and a phone.';
CREATE FUNCTION callsync.to_phone(raw callsync.phone, region pg_catalog.text DEFAULT NULL) RETURNS callsync.phone
	LANGUAGE SQL IMMUTABLE PARALLEL SAFE
	BEGIN ATOMIC SELECT $1; END;
COMMENT ON FUNCTION callsync.to_phone(callsync.phone, pg_catalog.text) IS 'The phone itself.';
CREATE FUNCTION callsync.try_phone(raw callsync.phone, region pg_catalog.text DEFAULT NULL) RETURNS callsync.phone
	LANGUAGE SQL IMMUTABLE PARALLEL SAFE
	BEGIN ATOMIC SELECT $1; END;
COMMENT ON FUNCTION callsync.try_phone(callsync.phone, pg_catalog.text) IS 'The phone itself.';
CREATE FUNCTION callsync.phone_parse(raw callsync.phone, region pg_catalog.text DEFAULT NULL,
	OUT result pg_catalog.text, OUT country_code pg_catalog.int4, OUT nsn pg_catalog.text, OUT national_number pg_catalog.int8, OUT italian_leading_zero pg_catalog.bool,
	OUT leading_zeros pg_catalog.int4, OUT extension pg_catalog.text, OUT e164 pg_catalog.text, OUT "national" pg_catalog.text, OUT international pg_catalog.text, OUT rfc3966 pg_catalog.text,
	OUT possible pg_catalog.text, OUT is_valid pg_catalog.bool, OUT type pg_catalog.text, OUT region_code pg_catalog.text, OUT country_code_source pg_catalog.text,
	OUT carrier_code pg_catalog.text, OUT short_possible pg_catalog.bool, OUT short_valid pg_catalog.bool, OUT short_cost pg_catalog.text, OUT emergency pg_catalog.bool)
	RETURNS pg_catalog.record LANGUAGE SQL IMMUTABLE PARALLEL SAFE
	BEGIN ATOMIC SELECT p.* FROM callsync.phone_parse($1::pg_catalog.text, $2) p; END;
COMMENT ON FUNCTION callsync.phone_parse(callsync.phone, pg_catalog.text) IS 'As phone_parse(text, region), for a value of type phone.';
