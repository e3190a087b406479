-- Secrets go with their owner.
CREATE FUNCTION callsync.drop_secrets() RETURNS pg_catalog.trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $f$
BEGIN
	DELETE FROM callsync.secret s WHERE s.owner = OLD.name
		AND NOT EXISTS (SELECT 1 FROM callsync.source o WHERE o.name = OLD.name)
		AND NOT EXISTS (SELECT 1 FROM callsync.destination d WHERE d.name = OLD.name);
	RETURN NULL;
END
$f$;
CREATE TRIGGER source_drop_secrets AFTER DELETE ON callsync.source
	FOR EACH ROW EXECUTE FUNCTION callsync.drop_secrets();
CREATE TRIGGER destination_drop_secrets AFTER DELETE ON callsync.destination
	FOR EACH ROW EXECUTE FUNCTION callsync.drop_secrets();
