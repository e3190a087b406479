-- Names and e-mail addresses as text: what is the same, and how near it is.

CREATE FUNCTION callsync.email_canonical(address pg_catalog.text) RETURNS pg_catalog.text
LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'callsync_email_canonical_fn';
COMMENT ON FUNCTION callsync.email_canonical(text) IS
'Identity of the mailbox that an address names: lower case, without display name, "mailto:", sub-address ("+tag") and, at Gmail, dots; domains of one provider (googlemail.com, me.com ...) made one. NULL where the text is no address.';

CREATE FUNCTION callsync.email_heard(said pg_catalog.text) RETURNS pg_catalog.text
LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'callsync_email_heard_fn';
COMMENT ON FUNCTION callsync.email_heard(text) IS
'What a transcript meant by an e-mail address: email_heard(''jon dot smith at g mail dot com'') is ''jon.smith@gmail.com''. Knows signs, numbers, spelled letters ("b as in boy"), fillers, in English, Spanish, German, French, Italian, Portuguese and Dutch. An address as written comes back in lower case. NULL where no address can be made of it.';

-- Short forms and pet names; edited by users, read by sessions when it has changed.
CREATE TABLE callsync.nickname (
	name pg_catalog.text NOT NULL CHECK (name OPERATOR(pg_catalog.<>) ''),
	nick pg_catalog.text NOT NULL CHECK (nick OPERATOR(pg_catalog.<>) ''),
	weight pg_catalog.float8 NOT NULL DEFAULT 0.9 CHECK (weight OPERATOR(pg_catalog.>) 0 AND weight OPERATOR(pg_catalog.<=) 1),
	language pg_catalog.text,
	builtin pg_catalog.bool NOT NULL DEFAULT false,
	PRIMARY KEY (name, nick)
);
COMMENT ON TABLE callsync.nickname IS
'Given names and what their bearers are called. weight: how likely somebody called nick has this name (Bob: Robert 0.95; Pat: Patricia 0.45, Patrick 0.4). Names are compared without case and diacritics. Add, change or delete rows as you like: sessions notice at their next decision, no index has to be rebuilt. language is for people only. builtin: shipped with the extension.';

CREATE FUNCTION callsync.match_config_changed() RETURNS pg_catalog.trigger
LANGUAGE C AS 'MODULE_PATHNAME', 'callsync_match_config_changed_fn';
COMMENT ON FUNCTION callsync.match_config_changed() IS 'Makes sessions read the table behind the trigger again.';
CREATE TRIGGER nickname_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON callsync.nickname
	FOR EACH STATEMENT EXECUTE FUNCTION callsync.match_config_changed();
SELECT pg_catalog.pg_extension_config_dump('callsync.nickname', 'WHERE NOT builtin');

CREATE FUNCTION callsync.name_similarity(a pg_catalog.text, b pg_catalog.text) RETURNS pg_catalog.float4
LANGUAGE C STRICT STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'callsync_name_similarity_fn';
COMMENT ON FUNCTION callsync.name_similarity(text, text) IS
'How alike two names of people are, 0 to 1, the same in both orders: folded (diacritics, oe, ss, Cyrillic and Greek letters), titles and fillers aside, order of given name and surname free, nicknames, initials, particles, compound surnames; sounding alike counts. Different generation suffixes (Sr, Jr, III) speak against. STABLE: it reads callsync.nickname.';

CREATE FUNCTION callsync.name_distance(a pg_catalog.text, b pg_catalog.text) RETURNS pg_catalog.float4
LANGUAGE C STRICT STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'callsync_name_distance_fn';
COMMENT ON FUNCTION callsync.name_distance(text, text) IS '1 - name_similarity(a, b); function of the operator <~>.';

CREATE FUNCTION callsync.name_matches(a pg_catalog.text, query pg_catalog.text) RETURNS pg_catalog.bool
LANGUAGE C STRICT STABLE PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'callsync_name_matches_fn';
COMMENT ON FUNCTION callsync.name_matches(text, text) IS
'Function of the operator =~: the names share at least one name key (the sound of a word; the words of the right operand also by their nicknames) and name_similarity is at least callsync.name_threshold.';

CREATE OPERATOR callsync.=~ (LEFTARG = pg_catalog.text, RIGHTARG = pg_catalog.text, FUNCTION = callsync.name_matches,
	RESTRICT = pg_catalog.matchingsel, JOIN = pg_catalog.matchingjoinsel);
COMMENT ON OPERATOR callsync.=~ (text, text) IS
'The same person''s name, by sound, nicknames and similarity (callsync.name_threshold). A GIN index with callsync.name_ops supports column =~ name.';
CREATE OPERATOR callsync.<~> (LEFTARG = pg_catalog.text, RIGHTARG = pg_catalog.text, FUNCTION = callsync.name_distance,
	COMMUTATOR = OPERATOR(callsync.<~>));
COMMENT ON OPERATOR callsync.<~> (text, text) IS 'Distance of two names, 0 (the same) to 1: 1 - name_similarity.';

CREATE FUNCTION callsync.name_extract_value(pg_catalog.text, pg_catalog.internal, pg_catalog.internal) RETURNS pg_catalog.internal
LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'callsync_name_extract_value';
CREATE FUNCTION callsync.name_extract_query(pg_catalog.text, pg_catalog.internal, pg_catalog.int2, pg_catalog.internal, pg_catalog.internal, pg_catalog.internal, pg_catalog.internal)
RETURNS pg_catalog.internal
LANGUAGE C STRICT STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'callsync_name_extract_query';
CREATE FUNCTION callsync.name_consistent(pg_catalog.internal, pg_catalog.int2, pg_catalog.text, pg_catalog.int4, pg_catalog.internal, pg_catalog.internal, pg_catalog.internal, pg_catalog.internal)
RETURNS pg_catalog.bool
LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'callsync_name_consistent';
CREATE OPERATOR CLASS callsync.name_ops FOR TYPE pg_catalog.text USING gin AS
	OPERATOR 1 callsync.=~ (pg_catalog.text, pg_catalog.text),
	FUNCTION 1 pg_catalog.btint8cmp(pg_catalog.int8, pg_catalog.int8),
	FUNCTION 2 callsync.name_extract_value(pg_catalog.text, pg_catalog.internal, pg_catalog.internal),
	FUNCTION 3 callsync.name_extract_query(pg_catalog.text, pg_catalog.internal, pg_catalog.int2, pg_catalog.internal, pg_catalog.internal, pg_catalog.internal, pg_catalog.internal),
	FUNCTION 4 callsync.name_consistent(pg_catalog.internal, pg_catalog.int2, pg_catalog.text, pg_catalog.int4, pg_catalog.internal, pg_catalog.internal, pg_catalog.internal, pg_catalog.internal),
	STORAGE pg_catalog.int8;
COMMENT ON OPERATOR CLASS callsync.name_ops USING gin IS
'Index for text =~ text over the sounds of the words of a name; every hit is checked again. CREATE INDEX ON t USING gin (name callsync.name_ops). Nicknames widen the search, never the index.';
