-- test_destination(): asks the worker to try a destination out, and waits for the answer.

CREATE TABLE callsync.test_result (
	destination pg_catalog.text PRIMARY KEY REFERENCES callsync.destination (name) ON DELETE CASCADE,
	started_at pg_catalog.timestamptz NOT NULL,
	finished_at pg_catalog.timestamptz NOT NULL,
	rows pg_catalog.jsonb NOT NULL
);
COMMENT ON TABLE callsync.test_result IS 'The newest answer that a worker found for test_destination().';
