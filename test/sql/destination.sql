-- Destinations, maps and routes: what is accepted, what is refused and how it says so.
SET search_path = callsync, public;
\set SHOW_CONTEXT never

SELECT name, builtin, confirmation, steps @> '{contact,call,call_contact,task}' AS has_steps FROM connectors WHERE name = 'hubspot';
-- each shipped document passes its own checks
SELECT c.name, k.what, k.detail FROM connectors c, check_connector(c.name) k WHERE NOT k.ok;
SELECT create_destination('d_hub', 'hubspot', '{"region": "US"}');
SELECT name, connector, options, paused, generation FROM destination WHERE name = 'd_hub';

-- a map of its own over the connector's, in versions
SELECT publish_map('d_hub', '{"call": {"hs_call_title": {"from": "intent"}}}', 'Ann Analyst');
SELECT publish_map('d_hub', '{"call": {"hs_call_title": {"from": "fields.title"}, "hs_call_direction": null}}', 'Ann Analyst');
SELECT version, map, approved_by FROM map_version WHERE destination = 'd_hub' ORDER BY version;
SELECT field, source FROM map_entries('d_hub') WHERE object = 'call' AND field IN ('hs_call_title', 'hs_call_direction') ORDER BY 1, 2;
SELECT split_part(map_document('d_hub'), E'\n', 1) AS title, split_part(map_document('d_hub'), E'\n', 3) ~ 'Map version 2, approved by Ann Analyst' AS version;
SELECT destination, object, field FROM map_impact('fields.title');
-- by a rule for all members, by a condition, and by the plan
SELECT object, field, how FROM map_impact('fields.vehicle_model') WHERE destination = 'd_hub';
SELECT object, field, how FROM map_impact('appointment.action') WHERE destination = 'd_hub';
SELECT object, field, how FROM map_impact('escalation.reason') WHERE destination = 'd_hub';
SELECT count(*) FROM map_impact('fields_of_another_name');
SELECT set_route('d_hub', 'spam', '[]');
SELECT set_route('d_hub', '*', '["contact", "call"]');
SELECT call_type, steps FROM route WHERE destination = 'd_hub' ORDER BY 1;
SELECT set_route('d_hub', 'spam', NULL);
SELECT generation > 4 AS workers_notice FROM destination WHERE name = 'd_hub';
SELECT alter_destination('d_hub', '{"lead_source": "AI", "paused": true, "dry_run": true}');
SELECT alter_destination('d_hub', '{"lead_source": null, "paused": false}');
SELECT options, paused FROM destination WHERE name = 'd_hub';
SELECT action, object, detail FROM audit_log WHERE object = 'd_hub' AND action IN ('publish_map', 'set_route') ORDER BY id;

-- connectors are data
SELECT register_connector(jsonb_set(jsonb_set(document, '{name}', '"my_crm"'), '{title}', '"My CRM"')) FROM connector WHERE name = 'hubspot';
SELECT name, builtin FROM connectors WHERE name = 'my_crm';
SELECT what, detail FROM check_connector('my_crm') WHERE NOT ok;
SELECT create_destination('d_my', 'my_crm', '{"base_url": "https://crm.example.com/api"}');
SELECT drop_destination('d_my');

-- refused
SELECT create_destination('', 'hubspot');
SELECT create_destination('d_hub', 'hubspot');
\set VERBOSITY terse
SELECT create_destination('x', 'hubspott');
SELECT create_destination('x', 'hubspot', '{"bsae_url": "https://a"}');
\set VERBOSITY default
SELECT create_destination('x', 'hubspot', '{"base_url": "ftp://a"}');
SELECT create_destination('x', 'hubspot', '{"base_url": "https://user:pw@host"}');
SELECT create_destination('x', 'hubspot', '{"base_url": "https://host/?q=1"}');
SELECT create_destination('x', 'hubspot', '{"base_url": "http://host"}');
SELECT create_destination('x', 'hubspot', '{"mode": "sometimes"}');
SELECT create_destination('x', 'hubspot', '{"verify": 1}');
SELECT create_destination('x', 'hubspot', '{"region": "usa"}');
SELECT create_destination('x', 'hubspot', '{"timeout_ms": 1}');
SELECT create_destination('x', 'hubspot', '{"allow_addresses": ["nowhere"]}');
\set VERBOSITY terse
SELECT create_destination('x', 'hubspot', '{"override": {"opps": {}}}');
\set VERBOSITY default
SELECT create_destination('x', 'hubspot', '[]');
SELECT alter_destination('nobody', '{}');
SELECT alter_destination('d_hub', '{"mode": "sometimes"}');
SELECT drop_destination('nobody');
SELECT publish_map('nobody', '{}', 'me');
SELECT publish_map('d_hub', '{}', '');
SELECT publish_map('d_hub', '[]', 'me');
\set VERBOSITY terse
SELECT publish_map('d_hub', '{"call": {"x": {"from": "summary", "as": "shout"}}}', 'me');
SELECT publish_map('d_hub', '{"spaceship": {"x": {"from": "summary"}}}', 'me');
\set VERBOSITY default
SELECT set_route('nobody', '*', '[]');
\set VERBOSITY terse
SELECT set_route('d_hub', '*', '["telepathy"]');
SELECT set_route('d_hub', '*', '{}');
\set VERBOSITY default
SELECT check_connector('nobody');
SELECT register_connector('{"name": "broken"}');
SELECT map_document('nobody');

-- inner addresses are a superuser's business
CREATE ROLE destination_admin;
GRANT callsync_admin TO destination_admin;
SET ROLE destination_admin;
SELECT callsync.create_destination('x', 'hubspot', '{"base_url": "http://127.0.0.1:1", "allow_addresses": ["127.0.0.1/32"]}');
SELECT callsync.create_destination('d_by_admin', 'hubspot');
SELECT callsync.drop_destination('d_by_admin');
RESET ROLE;
CREATE ROLE destination_nobody;
SET ROLE destination_nobody;
SELECT callsync.create_destination('x', 'hubspot');
SELECT count(*) FROM callsync.destination;
RESET ROLE;
DROP ROLE destination_nobody;
DROP ROLE destination_admin;

SELECT drop_destination('d_hub');
DELETE FROM connector WHERE name = 'my_crm';
