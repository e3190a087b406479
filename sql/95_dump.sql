-- What pg_dump takes along. Everything but what describes processes: a restored database must
-- know what it has delivered, or it would deliver it again. It sends nothing before adopt().
-- The day partitions of delivery, attempt and attempt_end are not part of the extension and are
-- dumped as ordinary tables.
SELECT pg_catalog.pg_extension_config_dump('callsync.source', '');
SELECT pg_catalog.pg_extension_config_dump('callsync.source_table', '');
SELECT pg_catalog.pg_extension_config_dump('callsync.event', '');
SELECT pg_catalog.pg_extension_config_dump('callsync.event_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('callsync.event_unusable', '');
SELECT pg_catalog.pg_extension_config_dump('callsync.event_seen', '');
SELECT pg_catalog.pg_extension_config_dump('callsync.outbox', '');
SELECT pg_catalog.pg_extension_config_dump('callsync.outbox_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('callsync.call', '');
SELECT pg_catalog.pg_extension_config_dump('callsync.person_key', '');
SELECT pg_catalog.pg_extension_config_dump('callsync.validation_result', '');
SELECT pg_catalog.pg_extension_config_dump('callsync.destination', '');
SELECT pg_catalog.pg_extension_config_dump('callsync.destination_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('callsync.map_version', '');
SELECT pg_catalog.pg_extension_config_dump('callsync.route', '');
SELECT pg_catalog.pg_extension_config_dump('callsync.destination_state', '');
SELECT pg_catalog.pg_extension_config_dump('callsync.quota', '');
SELECT pg_catalog.pg_extension_config_dump('callsync.schema_field', '');
SELECT pg_catalog.pg_extension_config_dump('callsync.schema_state', '');
SELECT pg_catalog.pg_extension_config_dump('callsync.schema_drift_event', '');
SELECT pg_catalog.pg_extension_config_dump('callsync.schema_drift_event_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('callsync.delivery_id', '');
SELECT pg_catalog.pg_extension_config_dump('callsync.request_id', '');
SELECT pg_catalog.pg_extension_config_dump('callsync.queue', '');
SELECT pg_catalog.pg_extension_config_dump('callsync.service_request', '');
SELECT pg_catalog.pg_extension_config_dump('callsync.dead_letter', '');
SELECT pg_catalog.pg_extension_config_dump('callsync.sync_state', '');
SELECT pg_catalog.pg_extension_config_dump('callsync.record_link', '');
SELECT pg_catalog.pg_extension_config_dump('callsync.contact_link', '');
SELECT pg_catalog.pg_extension_config_dump('callsync.alert', '');
SELECT pg_catalog.pg_extension_config_dump('callsync.alert_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('callsync.audit', '');
SELECT pg_catalog.pg_extension_config_dump('callsync.audit_id_seq', '');
-- the mirror's keys and counts are made again by its triggers
SELECT pg_catalog.pg_extension_config_dump('callsync.contact', '');
SELECT pg_catalog.pg_extension_config_dump('callsync.match_model', '');
SELECT pg_catalog.pg_extension_config_dump('callsync.match_decision', '');
SELECT pg_catalog.pg_extension_config_dump('callsync.match_decision_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('callsync.review_item', '');
SELECT pg_catalog.pg_extension_config_dump('callsync.review_item_id_seq', '');
-- shipped connectors come with the extension
SELECT pg_catalog.pg_extension_config_dump('callsync.connector', 'WHERE NOT builtin');
-- and so do shipped presets
SELECT pg_catalog.pg_extension_config_dump('callsync.source_kind', 'WHERE NOT builtin');
