-- The mirror of the CRMs' contacts, and the keys under which callers are found in it.
--
-- destination is text without a foreign key: users load contacts before they create the destination.

CREATE TABLE callsync.contact (
	destination pg_catalog.text NOT NULL CHECK (destination OPERATOR(pg_catalog.<>) ''),
	contact_id pg_catalog.text NOT NULL CHECK (contact_id OPERATOR(pg_catalog.<>) ''),
	first_name pg_catalog.text,
	last_name pg_catalog.text,
	email pg_catalog.text,
	other_emails pg_catalog.text,
	phone pg_catalog.text,
	mobile_phone pg_catalog.text,
	other_phone pg_catalog.text,
	company pg_catalog.text,
	street pg_catalog.text,
	postal_code pg_catalog.text,
	country pg_catalog.text,
	account_id pg_catalog.text,
	owner_id pg_catalog.text,
	flags pg_catalog.jsonb DEFAULT '{}',
	fields pg_catalog.jsonb DEFAULT '{}',
	remote_updated_at pg_catalog.timestamptz,
	PRIMARY KEY (destination, contact_id)
);
COMMENT ON TABLE callsync.contact IS
'Mirror of the contacts of each destination, kept by change polling, by pushed rows and by users, who may write it like any table (INSERT, COPY, UPDATE, DELETE, MERGE). Phones and e-mails are text as the CRM has them; a cell may hold several, with notes and extensions. other_emails: apart by comma, semicolon or blank. other_phone: likewise. country: ISO code or name; it decides how phones without country are read. account_id: scope of matching. flags: {"vip": true, ...} for routing. fields: anything else, usable as evidence (set_match_field). A contact_id that starts with "callsync:" is one that callsync is about to create. Triggers keep the key table in step; after loading with triggers disabled run rebuild_contact_keys().';

-- Hash of (destination, contact_id): what the key table refers to. An index on it stands in for a
-- surrogate column, so that the table has the public columns and no other.
CREATE FUNCTION callsync.contact_cid(destination pg_catalog.text, contact_id pg_catalog.text) RETURNS pg_catalog.int8
LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'callsync_contact_cid_fn';
COMMENT ON FUNCTION callsync.contact_cid(text, text) IS 'Hash by which callsync.contact_key refers to a contact.';
CREATE INDEX contact_cid ON callsync.contact (callsync.contact_cid(destination, contact_id));

-- Key hash -> contact. About six rows per contact; what the keys are is said in the comment.
CREATE TABLE callsync.contact_key (
	key pg_catalog.int8 NOT NULL,
	cid pg_catalog.int8 NOT NULL
);
CREATE INDEX contact_key_key ON callsync.contact_key (key, cid);
-- a publication of all tables must not make the triggers fail
ALTER TABLE callsync.contact_key REPLICA IDENTITY FULL;
COMMENT ON TABLE callsync.contact_key IS
'Hashed look-up keys of the contacts: last eight digits of each line, mailbox, sound of the mailbox''s local part, postal code with the sound of surname or given name, sound of both names, and fields declared as keys. Each hash includes the destination. Kept by triggers on callsync.contact.';

-- How often a name or postal code occurs, as signed changes: statements only append, so that writers
-- never wait for each other; single changes are folded together now and then.
CREATE TABLE callsync.contact_term (
	term pg_catalog.int8 NOT NULL,
	n pg_catalog.int8 NOT NULL
);
CREATE INDEX contact_term_term ON callsync.contact_term (term, n);
ALTER TABLE callsync.contact_term REPLICA IDENTITY FULL;
COMMENT ON TABLE callsync.contact_term IS
'Counts behind term frequencies (given names, surnames, postal codes, accounts, contacts of a destination): the sum of n per hashed term. Kept by triggers on callsync.contact.';

CREATE FUNCTION callsync.contact_changed() RETURNS pg_catalog.trigger
LANGUAGE C SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'callsync_contact_changed';
COMMENT ON FUNCTION callsync.contact_changed() IS 'Keeps contact_key and contact_term in step with contact; once per statement.';
CREATE TRIGGER contact_inserted AFTER INSERT ON callsync.contact
	REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION callsync.contact_changed();
CREATE TRIGGER contact_updated AFTER UPDATE ON callsync.contact
	REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION callsync.contact_changed();
CREATE TRIGGER contact_deleted AFTER DELETE ON callsync.contact
	REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION callsync.contact_changed();
CREATE TRIGGER contact_truncated AFTER TRUNCATE ON callsync.contact
	FOR EACH STATEMENT EXECUTE FUNCTION callsync.contact_changed();

-- One batch of contacts to keys; the set-based way of the rebuild.
CREATE FUNCTION callsync.contact_keys_of(contact callsync.contact, OUT key pg_catalog.int8, OUT term pg_catalog.bool)
RETURNS SETOF record
LANGUAGE C STRICT STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'callsync_contact_keys_of';
COMMENT ON FUNCTION callsync.contact_keys_of(callsync.contact) IS 'Keys (term false) and counted terms (term true) of one contact; used by rebuild_contact_keys().';

CREATE FUNCTION callsync.fold_contact_terms() RETURNS pg_catalog.int8
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $f$
DECLARE
	folded int8;
BEGIN
	WITH gone AS (
		DELETE FROM callsync.contact_term t
		WHERE t.ctid = ANY (ARRAY(
			SELECT m.ctid FROM callsync.contact_term m
			WHERE m.term IN (SELECT k.term FROM callsync.contact_term k GROUP BY k.term HAVING count(*) > 1)
			FOR UPDATE SKIP LOCKED))
		RETURNING t.term, t.n
	), kept AS (
		INSERT INTO callsync.contact_term (term, n)
		SELECT g.term, sum(g.n) FROM gone g GROUP BY g.term HAVING sum(g.n) <> 0
	)
	SELECT count(*) INTO folded FROM gone;
	RETURN folded;
END
$f$;
COMMENT ON FUNCTION callsync.fold_contact_terms() IS 'Adds up the changes that single writes to contact have appended to contact_term; returns how many rows were folded. Happens by itself for frequent terms; a maintenance job may call it.';

CREATE FUNCTION callsync.rebuild_contact_keys() RETURNS pg_catalog.int8
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $f$
DECLARE
	made int8;
BEGIN
	-- writers wait, readers of committed keys as well: TRUNCATE
	LOCK TABLE callsync.contact IN SHARE MODE;
	TRUNCATE callsync.contact_key, callsync.contact_term;
	DROP INDEX callsync.contact_key_key;
	DROP INDEX callsync.contact_term_term;
	INSERT INTO callsync.contact_key (key, cid)
	SELECT k.key, callsync.contact_cid(c.destination, c.contact_id)
	FROM callsync.contact c CROSS JOIN LATERAL callsync.contact_keys_of(c) k
	WHERE NOT k.term
	ORDER BY k.key;
	GET DIAGNOSTICS made = ROW_COUNT;
	INSERT INTO callsync.contact_term (term, n)
	SELECT k.key, count(*)
	FROM callsync.contact c CROSS JOIN LATERAL callsync.contact_keys_of(c) k
	WHERE k.term
	GROUP BY k.key;
	CREATE INDEX contact_key_key ON callsync.contact_key (key, cid);
	CREATE INDEX contact_term_term ON callsync.contact_term (term, n);
	RETURN made;
END
$f$;
COMMENT ON FUNCTION callsync.rebuild_contact_keys() IS
'Makes the key table anew from callsync.contact and returns how many keys there are: after a load with triggers disabled (ALTER TABLE callsync.contact DISABLE TRIGGER USER), after an update of the extension that says so, or when self_check() finds them out of step. Writers of contact wait meanwhile.';
