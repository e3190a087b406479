-- Thresholds, identifiers and region are options of the destination: sessions that keep them read them again.
CREATE TRIGGER destination_match_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON callsync.destination
	FOR EACH STATEMENT EXECUTE FUNCTION callsync.match_config_changed();
