-- What else a receptionist has to know of a contact: open opportunities, tickets, tasks, notes.
--
-- As with contact: text without foreign keys, because rows may come before the contact or the destination.

CREATE TABLE callsync.related_record (
	destination pg_catalog.text NOT NULL CHECK (destination OPERATOR(pg_catalog.<>) ''),
	object pg_catalog.text NOT NULL CHECK (object OPERATOR(pg_catalog.<>) ''),
	record_id pg_catalog.text NOT NULL CHECK (record_id OPERATOR(pg_catalog.<>) ''),
	contact_id pg_catalog.text,
	account_id pg_catalog.text,
	title pg_catalog.text,
	status pg_catalog.text,
	is_open pg_catalog.bool NOT NULL DEFAULT true,
	amount pg_catalog.numeric,
	owner_id pg_catalog.text,
	due_at pg_catalog.timestamptz,
	happened_at pg_catalog.timestamptz,
	fields pg_catalog.jsonb NOT NULL DEFAULT '{}',
	remote_updated_at pg_catalog.timestamptz,
	PRIMARY KEY (destination, object, record_id)
);
CREATE INDEX related_record_contact ON callsync.related_record (destination, contact_id) WHERE contact_id IS NOT NULL;
CREATE INDEX related_record_account ON callsync.related_record (destination, account_id) WHERE account_id IS NOT NULL;
COMMENT ON TABLE callsync.related_record IS
'Mirror of the records around the contacts of each destination, for caller_context(): object is opportunity, ticket, task, appointment, note, order ... Users write it like any table, as they do callsync.contact. contact_id, account_id: whose it is; a record of the account shows for all its contacts. status: stage or state in the CRM''s words; is_open: does it still need somebody. due_at: of tasks and appointments; happened_at: when it last meant something to the contact (a note was written, a ticket closed). fields: anything else.';
SELECT pg_catalog.pg_extension_config_dump('callsync.related_record', '');
