-- Modes, schedules, rules, maintenance windows: what the options mean and what is refused.
SET search_path = callsync, public;
SET timezone = 'UTC';
\set SHOW_CONTEXT never

SELECT o.options, t.* FROM (VALUES (1, '{}'::jsonb), (2, '{"mode": "batch"}'), (3, '{"mode": "batch", "schedule": "nightly"}'),
	(4, '{"mode": "hybrid", "schedule": {"at": ["08:00", "20:00"], "days": ["mon", "tue"], "time_zone": "Europe/Berlin"}}'),
	(5, '{"mode": "batch", "schedule": "campaign_end"}'),
	(6, '{"maintenance": [{"at": "10:00", "for": "90 minutes", "days": ["fri"]}]}'),
	(7, '{"maintenance": [{"from": "2026-11-20T10:00:00Z", "until": "2026-11-20T12:30:00+01:00"}]}')) o(n, options),
	schedule_times(o.options, '2026-11-20 10:17:00+00') t ORDER BY o.n;
-- a nightly batch stays where it is when the clocks change
SELECT d::date AS day, (schedule_times('{"mode": "batch", "schedule": {"at": "04:00", "time_zone": "Europe/Berlin"}}', d)).next_batch_at
FROM generate_series('2026-03-27 12:00+00'::timestamptz, '2026-03-29 12:00+00', '1 day') d ORDER BY 1;

SELECT create_destination('d_sched', 'webhook', '{"base_url": "https://hooks.example.com/x", "mode": "hybrid", "schedule": "hourly",
	"rules": [{"when": {"duration_s": {"lt": 30}}, "mode": "batch"}], "maintenance": [{"at": "02:00", "for": "2 hours", "days": ["sun"]}]}');
SELECT mode, next_batch_at - clock_timestamp() BETWEEN '0' AND '1 hour' AS within_the_hour, lag FROM destination_status WHERE destination = 'd_sched';
SELECT send_now('d_sched');
SELECT action, detail FROM audit_log WHERE object = 'd_sched' AND action = 'send_now';

-- refused
SELECT alter_destination('d_sched', '{"schedule": "yearly"}');
SELECT alter_destination('d_sched', '{"schedule": {"every": "2 days"}}');
SELECT alter_destination('d_sched', '{"schedule": {"at": "2pm"}}');
SELECT alter_destination('d_sched', '{"schedule": {"at": "14:00", "time_zone": "Moon/Base"}}');
SELECT alter_destination('d_sched', '{"rules": [{"when": {"duration_s": {"less": 30}}, "mode": "batch"}]}');
SELECT alter_destination('d_sched', '{"rules": [{"when": "summary", "mode": "later"}]}');
SELECT alter_destination('d_sched', '{"maintenance": [{"at": "02:00"}]}');
SELECT send_now('nobody');
SELECT send_now('d_sched', '[]');
SELECT drop_destination('d_sched');
