-- A call table as many teams have one: nothing in it is callsync's.
CREATE TABLE calls (
	call_id text, started_at timestamptz NOT NULL, ended_at timestamptz, from_number text, to_number text,
	caller_name text, email text, zip text, language text, outcome text, summary text,
	follow_up text, follow_up_at timestamptz, service text, recording_url text, ai_urgency text
);
