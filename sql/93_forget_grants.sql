-- Privileges: to erase a person is an administrator's decision.
GRANT EXECUTE ON FUNCTION callsync.forget(text, text) TO callsync_admin;
