-- Prefix and fuzzy search on phones, with planner support: both use a btree index.

CREATE FUNCTION callsync.phone_prefix_low(prefix pg_catalog.text) RETURNS callsync.phone
	AS 'MODULE_PATHNAME', 'callsync_phone_prefix_low' LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION callsync.phone_prefix_low(pg_catalog.text) IS 'First phone with a prefix; NULL if there is none. The planner uses it for ^@.';
CREATE FUNCTION callsync.phone_prefix_high(prefix pg_catalog.text) RETURNS callsync.phone
	AS 'MODULE_PATHNAME', 'callsync_phone_prefix_high' LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION callsync.phone_prefix_high(pg_catalog.text) IS 'Last phone with a prefix; NULL if there is none. The planner uses it for ^@.';
CREATE FUNCTION callsync.phone_prefix_support(pg_catalog.internal) RETURNS pg_catalog.internal
	AS 'MODULE_PATHNAME', 'callsync_phone_prefix_support' LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION callsync.phone_prefix_sel(pg_catalog.internal, pg_catalog.oid, pg_catalog.internal, pg_catalog.int4) RETURNS pg_catalog.float8
	AS 'MODULE_PATHNAME', 'callsync_phone_prefix_sel' LANGUAGE C STRICT STABLE PARALLEL SAFE;
CREATE FUNCTION callsync.phone_prefix(phone callsync.phone, prefix pg_catalog.text) RETURNS pg_catalog.bool
	AS 'MODULE_PATHNAME', 'callsync_phone_prefix' LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE
	SUPPORT callsync.phone_prefix_support;
COMMENT ON FUNCTION callsync.phone_prefix(callsync.phone, pg_catalog.text) IS
'Whether a phone begins with a prefix: ''+4420'', ''4420'' or ''+44 20''. Behind operator ^@; a btree index serves it. Error 22023 if the prefix has anything but digits, blanks and hyphens.';
CREATE OPERATOR callsync.^@ (
	LEFTARG = callsync.phone, RIGHTARG = pg_catalog.text, FUNCTION = callsync.phone_prefix,
	RESTRICT = callsync.phone_prefix_sel, JOIN = pg_catalog.matchingjoinsel
);
COMMENT ON OPERATOR callsync.^@ (callsync.phone, pg_catalog.text) IS 'begins with (a btree index serves it): phone ^@ ''+4420''';

CREATE FUNCTION callsync.phone_neighbours(phone callsync.phone) RETURNS callsync.phone[]
	AS 'MODULE_PATHNAME', 'callsync_phone_neighbours_sql' LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION callsync.phone_neighbours(callsync.phone) IS
'All phones that differ from one by a slip at most: a digit wrong, missing, added, or two neighbours swapped; itself included, in order. The planner uses it for =~.';
CREATE FUNCTION callsync.phone_near_support(pg_catalog.internal) RETURNS pg_catalog.internal
	AS 'MODULE_PATHNAME', 'callsync_phone_near_support' LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION callsync.phone_near_sel(pg_catalog.internal, pg_catalog.oid, pg_catalog.internal, pg_catalog.int4) RETURNS pg_catalog.float8
	AS 'MODULE_PATHNAME', 'callsync_phone_near_sel' LANGUAGE C STRICT STABLE PARALLEL SAFE;
CREATE FUNCTION callsync.phone_near(callsync.phone, callsync.phone) RETURNS pg_catalog.bool
	AS 'MODULE_PATHNAME', 'callsync_phone_near' LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE
	SUPPORT callsync.phone_near_support;
COMMENT ON FUNCTION callsync.phone_near(callsync.phone, callsync.phone) IS
'Whether two phones are the same but for one slip: a digit wrong, missing, added, or two neighbours swapped. Behind operator =~; a btree index serves it.';
CREATE OPERATOR callsync.=~ (
	LEFTARG = callsync.phone, RIGHTARG = callsync.phone, FUNCTION = callsync.phone_near, COMMUTATOR = OPERATOR(callsync.=~),
	RESTRICT = callsync.phone_near_sel, JOIN = pg_catalog.matchingjoinsel
);
COMMENT ON OPERATOR callsync.=~ (callsync.phone, callsync.phone) IS 'same but for one slip (a btree index serves it): a digit wrong, missing, added, or two neighbours swapped';

CREATE FUNCTION callsync.phone_distance(callsync.phone, callsync.phone) RETURNS pg_catalog.float4
	AS 'MODULE_PATHNAME', 'callsync_phone_distance_sql' LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION callsync.phone_distance(callsync.phone, callsync.phone) IS
'Number of slips between two phones (a digit wrong, missing, added, two neighbours swapped); 0 for the same line. Behind operator <->; a =~ b is a <-> b <= 1.';
CREATE OPERATOR callsync.<-> (
	LEFTARG = callsync.phone, RIGHTARG = callsync.phone, FUNCTION = callsync.phone_distance, COMMUTATOR = OPERATOR(callsync.<->)
);
COMMENT ON OPERATOR callsync.<-> (callsync.phone, callsync.phone) IS 'number of slips between two phones';

COMMENT ON FUNCTION callsync.phone_prefix_support(pg_catalog.internal) IS 'Planner support of ^@: a prefix is a range of a btree index.';
COMMENT ON FUNCTION callsync.phone_prefix_sel(pg_catalog.internal, pg_catalog.oid, pg_catalog.internal, pg_catalog.int4) IS 'Selectivity of ^@ from the statistics of a column.';
COMMENT ON FUNCTION callsync.phone_near_support(pg_catalog.internal) IS 'Planner support of =~: a look-up of all neighbours in a btree index.';
COMMENT ON FUNCTION callsync.phone_near_sel(pg_catalog.internal, pg_catalog.oid, pg_catalog.internal, pg_catalog.int4) IS 'Selectivity of =~ from the statistics of a column.';
