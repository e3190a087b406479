-- Contacts and calls of one generated set into the mirror; variables: dir, destination.
CREATE SCHEMA IF NOT EXISTS bench;
CREATE TABLE IF NOT EXISTS bench.call (destination text, call_id text, number text, spoken text, name text, email text, zip text);
CREATE TEMP TABLE c (contact_id text, first_name text, last_name text, email text, phone text, mobile_phone text, other_phone text, company text, street text, postal_code text, country text);
CREATE TEMP TABLE k (call_id text, number text, spoken text, name text, email text, zip text);
\set copy_contacts '\\copy c FROM \'' :dir '/contacts.csv\' CSV HEADER'
:copy_contacts
\set copy_calls '\\copy k FROM \'' :dir '/calls.csv\' CSV HEADER'
:copy_calls
INSERT INTO callsync.contact (destination, contact_id, first_name, last_name, email, phone, mobile_phone, other_phone, company, street, postal_code, country)
SELECT :'destination', c.* FROM c;
INSERT INTO bench.call SELECT :'destination', k.* FROM k;
DROP TABLE c, k;
ANALYZE bench.call;
