-- Type phone: 8 bytes by value, ordered by digits, and what can be asked of it.

CREATE TYPE callsync.phone;

CREATE FUNCTION callsync.phone_in(pg_catalog.cstring) RETURNS callsync.phone
	AS 'MODULE_PATHNAME', 'callsync_phone_in' LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION callsync.phone_out(callsync.phone) RETURNS pg_catalog.cstring
	AS 'MODULE_PATHNAME', 'callsync_phone_out' LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION callsync.phone_recv(pg_catalog.internal) RETURNS callsync.phone
	AS 'MODULE_PATHNAME', 'callsync_phone_recv' LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION callsync.phone_send(callsync.phone) RETURNS pg_catalog.bytea
	AS 'MODULE_PATHNAME', 'callsync_phone_send' LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE;

CREATE TYPE callsync.phone (
	INPUT = callsync.phone_in,
	OUTPUT = callsync.phone_out,
	RECEIVE = callsync.phone_recv,
	SEND = callsync.phone_send,
	INTERNALLENGTH = 8,
	PASSEDBYVALUE,
	ALIGNMENT = double,
	STORAGE = plain
);
COMMENT ON TYPE callsync.phone IS
'A telephone number: 1 to 19 digits that begin with the country calling code, in 8 bytes.

Text form: ''+15551234567''. Input takes this form only and does not look at numbering plans, so a dump always restores; to_phone(raw, region) reads numbers as people write them.
Order is the order of the digits, so all numbers with a common prefix are neighbours: use =, <, <=, >, >=, ^@ (prefix) and =~ (one slip) with a btree index, = with a hash index.
Extensions and short codes are no part of it. In binary: the code as 8 bytes in network order, the same in every database.';

COMMENT ON FUNCTION callsync.phone_in(pg_catalog.cstring) IS 'Text input of type phone.';
COMMENT ON FUNCTION callsync.phone_out(callsync.phone) IS 'Text output of type phone.';
COMMENT ON FUNCTION callsync.phone_recv(pg_catalog.internal) IS 'Binary input of type phone.';
COMMENT ON FUNCTION callsync.phone_send(callsync.phone) IS 'Binary output of type phone: 8 bytes in network order.';

-- Text goes into a phone column by assignment and becomes a phone by an explicit cast, never by itself.
CREATE CAST (pg_catalog.text AS callsync.phone) WITH INOUT AS ASSIGNMENT;
CREATE CAST (pg_catalog.varchar AS callsync.phone) WITH INOUT AS ASSIGNMENT;

-- ---- order ----

CREATE FUNCTION callsync.phone_eq(callsync.phone, callsync.phone) RETURNS pg_catalog.bool
	AS 'MODULE_PATHNAME', 'callsync_phone_eq' LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE LEAKPROOF;
CREATE FUNCTION callsync.phone_ne(callsync.phone, callsync.phone) RETURNS pg_catalog.bool
	AS 'MODULE_PATHNAME', 'callsync_phone_ne' LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE LEAKPROOF;
CREATE FUNCTION callsync.phone_lt(callsync.phone, callsync.phone) RETURNS pg_catalog.bool
	AS 'MODULE_PATHNAME', 'callsync_phone_lt' LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE LEAKPROOF;
CREATE FUNCTION callsync.phone_le(callsync.phone, callsync.phone) RETURNS pg_catalog.bool
	AS 'MODULE_PATHNAME', 'callsync_phone_le' LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE LEAKPROOF;
CREATE FUNCTION callsync.phone_gt(callsync.phone, callsync.phone) RETURNS pg_catalog.bool
	AS 'MODULE_PATHNAME', 'callsync_phone_gt' LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE LEAKPROOF;
CREATE FUNCTION callsync.phone_ge(callsync.phone, callsync.phone) RETURNS pg_catalog.bool
	AS 'MODULE_PATHNAME', 'callsync_phone_ge' LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE LEAKPROOF;
CREATE FUNCTION callsync.phone_cmp(callsync.phone, callsync.phone) RETURNS pg_catalog.int4
	AS 'MODULE_PATHNAME', 'callsync_phone_cmp' LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE LEAKPROOF;
CREATE FUNCTION callsync.phone_sortsupport(pg_catalog.internal) RETURNS pg_catalog.void
	AS 'MODULE_PATHNAME', 'callsync_phone_sortsupport' LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION callsync.phone_hash(callsync.phone) RETURNS pg_catalog.int4
	AS 'MODULE_PATHNAME', 'callsync_phone_hash' LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE LEAKPROOF;
CREATE FUNCTION callsync.phone_hash_extended(callsync.phone, pg_catalog.int8) RETURNS pg_catalog.int8
	AS 'MODULE_PATHNAME', 'callsync_phone_hash_extended' LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE LEAKPROOF;

CREATE OPERATOR callsync.= (
	LEFTARG = callsync.phone, RIGHTARG = callsync.phone, FUNCTION = callsync.phone_eq, COMMUTATOR = OPERATOR(callsync.=), NEGATOR = OPERATOR(callsync.<>),
	RESTRICT = pg_catalog.eqsel, JOIN = pg_catalog.eqjoinsel, HASHES, MERGES
);
CREATE OPERATOR callsync.<> (
	LEFTARG = callsync.phone, RIGHTARG = callsync.phone, FUNCTION = callsync.phone_ne, COMMUTATOR = OPERATOR(callsync.<>), NEGATOR = OPERATOR(callsync.=),
	RESTRICT = pg_catalog.neqsel, JOIN = pg_catalog.neqjoinsel
);
CREATE OPERATOR callsync.< (
	LEFTARG = callsync.phone, RIGHTARG = callsync.phone, FUNCTION = callsync.phone_lt, COMMUTATOR = OPERATOR(callsync.>), NEGATOR = OPERATOR(callsync.>=),
	RESTRICT = pg_catalog.scalarltsel, JOIN = pg_catalog.scalarltjoinsel
);
CREATE OPERATOR callsync.<= (
	LEFTARG = callsync.phone, RIGHTARG = callsync.phone, FUNCTION = callsync.phone_le, COMMUTATOR = OPERATOR(callsync.>=), NEGATOR = OPERATOR(callsync.>),
	RESTRICT = pg_catalog.scalarlesel, JOIN = pg_catalog.scalarlejoinsel
);
CREATE OPERATOR callsync.> (
	LEFTARG = callsync.phone, RIGHTARG = callsync.phone, FUNCTION = callsync.phone_gt, COMMUTATOR = OPERATOR(callsync.<), NEGATOR = OPERATOR(callsync.<=),
	RESTRICT = pg_catalog.scalargtsel, JOIN = pg_catalog.scalargtjoinsel
);
CREATE OPERATOR callsync.>= (
	LEFTARG = callsync.phone, RIGHTARG = callsync.phone, FUNCTION = callsync.phone_ge, COMMUTATOR = OPERATOR(callsync.<=), NEGATOR = OPERATOR(callsync.<),
	RESTRICT = pg_catalog.scalargesel, JOIN = pg_catalog.scalargejoinsel
);
COMMENT ON OPERATOR callsync.= (callsync.phone, callsync.phone) IS 'same line';
COMMENT ON OPERATOR callsync.<> (callsync.phone, callsync.phone) IS 'another line';
COMMENT ON OPERATOR callsync.< (callsync.phone, callsync.phone) IS 'earlier in digit order';
COMMENT ON OPERATOR callsync.<= (callsync.phone, callsync.phone) IS 'same line or earlier in digit order';
COMMENT ON OPERATOR callsync.> (callsync.phone, callsync.phone) IS 'later in digit order';
COMMENT ON OPERATOR callsync.>= (callsync.phone, callsync.phone) IS 'same line or later in digit order';

COMMENT ON FUNCTION callsync.phone_eq(callsync.phone, callsync.phone) IS 'Behind operator =.';
COMMENT ON FUNCTION callsync.phone_ne(callsync.phone, callsync.phone) IS 'Behind operator <>.';
COMMENT ON FUNCTION callsync.phone_lt(callsync.phone, callsync.phone) IS 'Behind operator <.';
COMMENT ON FUNCTION callsync.phone_le(callsync.phone, callsync.phone) IS 'Behind operator <=.';
COMMENT ON FUNCTION callsync.phone_gt(callsync.phone, callsync.phone) IS 'Behind operator >.';
COMMENT ON FUNCTION callsync.phone_ge(callsync.phone, callsync.phone) IS 'Behind operator >=.';
COMMENT ON FUNCTION callsync.phone_cmp(callsync.phone, callsync.phone) IS 'Order of two phones for btree indexes: -1, 0 or 1.';
COMMENT ON FUNCTION callsync.phone_sortsupport(pg_catalog.internal) IS 'Sort support of the btree operator class.';
COMMENT ON FUNCTION callsync.phone_hash(callsync.phone) IS 'Hash of a phone for hash indexes, joins and partitions.';
COMMENT ON FUNCTION callsync.phone_hash_extended(callsync.phone, pg_catalog.int8) IS 'Hash of a phone with a seed, 64 bits.';

CREATE OPERATOR CLASS callsync.phone_ops DEFAULT FOR TYPE callsync.phone USING btree AS
	OPERATOR 1 callsync.<, OPERATOR 2 callsync.<=, OPERATOR 3 callsync.=, OPERATOR 4 callsync.>=, OPERATOR 5 callsync.>,
	FUNCTION 1 callsync.phone_cmp(callsync.phone, callsync.phone),
	FUNCTION 2 callsync.phone_sortsupport(pg_catalog.internal),
	FUNCTION 4 pg_catalog.btequalimage(pg_catalog.oid);
CREATE OPERATOR CLASS callsync.phone_ops DEFAULT FOR TYPE callsync.phone USING hash AS
	OPERATOR 1 callsync.=,
	FUNCTION 1 callsync.phone_hash(callsync.phone),
	FUNCTION 2 callsync.phone_hash_extended(callsync.phone, pg_catalog.int8);

CREATE FUNCTION callsync.phone_larger(callsync.phone, callsync.phone) RETURNS callsync.phone
	AS 'MODULE_PATHNAME', 'callsync_phone_larger' LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE LEAKPROOF;
CREATE FUNCTION callsync.phone_smaller(callsync.phone, callsync.phone) RETURNS callsync.phone
	AS 'MODULE_PATHNAME', 'callsync_phone_smaller' LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE LEAKPROOF;
COMMENT ON FUNCTION callsync.phone_larger(callsync.phone, callsync.phone) IS 'The later of two phones, for the aggregate max.';
COMMENT ON FUNCTION callsync.phone_smaller(callsync.phone, callsync.phone) IS 'The earlier of two phones, for the aggregate min.';
CREATE AGGREGATE callsync.max(callsync.phone) (SFUNC = callsync.phone_larger, STYPE = callsync.phone, COMBINEFUNC = callsync.phone_larger, SORTOP = OPERATOR(callsync.>), PARALLEL = SAFE);
CREATE AGGREGATE callsync.min(callsync.phone) (SFUNC = callsync.phone_smaller, STYPE = callsync.phone, COMBINEFUNC = callsync.phone_smaller, SORTOP = OPERATOR(callsync.<), PARALLEL = SAFE);
COMMENT ON AGGREGATE callsync.max(callsync.phone) IS 'last phone in digit order';
COMMENT ON AGGREGATE callsync.min(callsync.phone) IS 'first phone in digit order';

-- ---- reading ----

CREATE FUNCTION callsync.to_phone(raw pg_catalog.text, region pg_catalog.text DEFAULT NULL) RETURNS callsync.phone
	AS 'MODULE_PATHNAME', 'callsync_to_phone' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION callsync.to_phone(pg_catalog.text, pg_catalog.text) IS
'Reads a phone number in any spelling, as dialled in a region.

raw     the number as people or machines write it: ''(555) 123-4567'', ''011 44 20 7946 0018'', ''tel:+1-555-123-4567'', ''1-800-FLOWERS''
region  two letters such as ''US''; NULL: no region, only numbers with "+" and country code can be read
Result  the number; an extension is dropped (phone_parse and caller_id show it)
Error   22P02 with the reason in the detail where there is no number, or more than 19 digits. NULL for NULL.

Whether the number exists is another question: phone_is_valid. The semantics are those of Google''s libphonenumber, metadata phone_metadata_version(); after an upgrade of the metadata, rebuild indexes on to_phone(...).
Example: SELECT to_phone(''(212) 555-0147'', ''US'');  -- +12125550147';

CREATE FUNCTION callsync.try_phone(raw pg_catalog.text, region pg_catalog.text DEFAULT NULL) RETURNS callsync.phone
	AS 'MODULE_PATHNAME', 'callsync_try_phone' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION callsync.try_phone(pg_catalog.text, pg_catalog.text) IS
'As to_phone(raw, region), with NULL instead of an error.
Example: SELECT count(try_phone(caller_number, ''US'')) FROM calls;';

CREATE FUNCTION callsync.phone_parse(raw pg_catalog.text, region pg_catalog.text DEFAULT NULL,
	OUT result pg_catalog.text, OUT country_code pg_catalog.int4, OUT nsn pg_catalog.text, OUT national_number pg_catalog.int8, OUT italian_leading_zero pg_catalog.bool,
	OUT leading_zeros pg_catalog.int4, OUT extension pg_catalog.text, OUT e164 pg_catalog.text, OUT "national" pg_catalog.text, OUT international pg_catalog.text, OUT rfc3966 pg_catalog.text,
	OUT possible pg_catalog.text, OUT is_valid pg_catalog.bool, OUT type pg_catalog.text, OUT region_code pg_catalog.text, OUT country_code_source pg_catalog.text,
	OUT carrier_code pg_catalog.text, OUT short_possible pg_catalog.bool, OUT short_valid pg_catalog.bool, OUT short_cost pg_catalog.text, OUT emergency pg_catalog.bool)
	RETURNS pg_catalog.record
	AS 'MODULE_PATHNAME', 'callsync_phone_parse_sql' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION callsync.phone_parse(pg_catalog.text, pg_catalog.text) IS
'Everything that libphonenumber says about a text, as one row.

result               OK, or why it cannot be read: INVALID_COUNTRY_CODE, NOT_A_NUMBER, TOO_SHORT_AFTER_IDD, TOO_SHORT_NSN, TOO_LONG; then the columns up to short_cost are NULL
country_code, nsn    country calling code and national significant number; national_number is the latter without its italian_leading_zero(s), of which there are leading_zeros
extension            its digits
e164, national, international, rfc3966    the number formatted
possible             IS_POSSIBLE, IS_POSSIBLE_LOCAL_ONLY, TOO_SHORT, TOO_LONG, INVALID_LENGTH: by length
is_valid, type, region_code    by the numbering plan
country_code_source  how the country was found; carrier_code: digits of a carrier selection in front
short_possible, short_valid, short_cost    taken as a short number of the region, where there are such data
emergency            dialling raw in the region reaches an emergency service';

-- ---- asking ----

CREATE FUNCTION callsync.format_phone(phone callsync.phone, style pg_catalog.text) RETURNS pg_catalog.text
	AS 'MODULE_PATHNAME', 'callsync_format_phone' LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION callsync.format_phone(callsync.phone, pg_catalog.text) IS
'Writes a phone in a style: e164 (+12125550147), national ((212) 555-0147), international (+1 212-555-0147), rfc3966 (tel:+1-212-555-0147).
Error 22023 for another style.';

CREATE FUNCTION callsync.phone_region(phone callsync.phone) RETURNS pg_catalog.text
	AS 'MODULE_PATHNAME', 'callsync_phone_region' LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION callsync.phone_region(callsync.phone) IS
'Two letters of the region that a phone belongs to; ''001'' for numbers of no country (such as +800); NULL if no region of the country code has it.';

CREATE FUNCTION callsync.phone_type(phone callsync.phone) RETURNS pg_catalog.text
	AS 'MODULE_PATHNAME', 'callsync_phone_type' LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION callsync.phone_type(callsync.phone) IS
'FIXED_LINE, MOBILE, FIXED_LINE_OR_MOBILE, TOLL_FREE, PREMIUM_RATE, SHARED_COST, VOIP, PERSONAL_NUMBER, PAGER, UAN, VOICEMAIL, or UNKNOWN for a number that is not valid.';

CREATE FUNCTION callsync.phone_is_valid(phone callsync.phone) RETURNS pg_catalog.bool
	AS 'MODULE_PATHNAME', 'callsync_phone_is_valid' LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION callsync.phone_is_valid(callsync.phone) IS
'Whether the numbering plan of the phone''s country assigns such numbers. ''+15551234567'' is a phone, and not valid: there is no area code 555.';

CREATE FUNCTION callsync.phone_is_possible(phone callsync.phone) RETURNS pg_catalog.bool
	AS 'MODULE_PATHNAME', 'callsync_phone_is_possible' LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION callsync.phone_is_possible(callsync.phone) IS
'Whether numbers of the phone''s country can have its length (numbers without area code included).';

CREATE FUNCTION callsync.phone_metadata_version() RETURNS pg_catalog.text
	AS 'MODULE_PATHNAME', 'callsync_phone_metadata_version_sql' LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION callsync.phone_metadata_version() IS
'Version of the numbering plan data: that of the npm package google-libphonenumber they come from.';
