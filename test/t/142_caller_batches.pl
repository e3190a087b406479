# Calls that are planned together are decided as if they came one by one: the same contacts, the same probabilities.
use strict;
use warnings;

use Test::More;

use CallsyncDelivery;

my ($node, $crm) = CallsyncDelivery::start('caller_batches', options => { dry_run => JSON::PP::true() });

sub q1 { return CallsyncDelivery::q1($node, @_) }

# seven people in several spellings; two share a line, two a name, one says only a mailbox, some say nearly nothing
q1(<<'SQL');
CREATE TABLE sample AS SELECT 'c' || to_char(i, 'FM00') AS id,
	(ARRAY['(415) 555-2901', '+1 415 555 2901', '415-555-2902', NULL, '(415) 555-2904', '415 555 2904', 'anonymous'])[1 + i % 7] AS phone,
	(ARRAY['Una Known', 'Una Known', 'Oona Knowne', 'Bob Baxter', 'Carol Diaz', 'Robert Baxter', NULL, 'Dan Diaz'])[1 + i % 8] AS name,
	(ARRAY['una.known@example.com', NULL, NULL, 'bob@example.org', NULL])[1 + i % 5] AS email,
	(ARRAY['94110', NULL, '94111'])[1 + i % 3] AS postal_code
FROM generate_series(1, 36) i;
CREATE VIEW decisions AS SELECT d.source, d.call_id, d.decision, replace(d.contact_id, d.source, 'SOURCE') AS contact,
	round(d.probability::numeric, 6) AS probability, round(d.margin::numeric, 6) AS margin, d.reason, d.explanation, replace(d.evidence::text, d.source, 'SOURCE') AS evidence FROM callsync.match_decision d;
SQL
sub planned { ok($node->poll_query_until('postgres', 'SELECT NOT EXISTS (SELECT FROM callsync.outbox)'), $_[0] // 'planned') }

q1('INSERT INTO calls (id, phone, name, email, postal_code) SELECT id, phone, name, email, postal_code FROM sample ORDER BY id');
planned();
is(q1("SELECT count(*) FROM decisions WHERE source = 'phones'"), 36, 'all decisions of one transaction');
is(q1("SELECT count(DISTINCT updated_at) FROM callsync.call"), 1, 'planned at once');
my $mirror = "SELECT string_agg(concat_ws('|', replace(contact_id, 'phones2', 'phones'), first_name, last_name, email, phone, postal_code), E'\\n' ORDER BY replace(contact_id, 'phones2', 'phones')) FROM callsync.contact";
my $links = "SELECT string_agg(concat_ws('|', replace(identity, 'phones2', 'phones'), replace(contact_key, 'phones2', 'phones'), contact_id), E'\\n' ORDER BY 1) FROM callsync.contact_link";
$links =~ s/ORDER BY 1/ORDER BY replace(identity, 'phones2', 'phones')/;
my ($mirror1, $links1) = (q1($mirror), q1($links));
q1(<<'SQL');
SELECT callsync.pause('crm');
SELECT callsync.wait_until_idle('60s');
SELECT callsync.drop_destination('crm', true);
DELETE FROM callsync.contact;
DELETE FROM callsync.contact_link;
CREATE TABLE calls2 (LIKE calls INCLUDING ALL);
SELECT callsync.create_source('phones2', options => '{"region": "US"}');
SELECT callsync.attach('phones2', 'calls2', '{"call_id": "id", "caller.phone": "phone", "caller.name": "name", "caller.email": "email", "caller.postal_code": "postal_code"}');
SQL
q1(sprintf(q{SELECT callsync.create_destination('crm', 'hubspot', '{"base_url": "%s", "allow_addresses": ["127.0.0.1/32"], "region": "US", "dry_run": true}')}, $crm->url));
q1("SELECT callsync.set_secret('crm', 'bearer_token', 'sandbox-token')");
for my $id (split /\n/, q1('SELECT id FROM sample ORDER BY id'))
{
	q1("INSERT INTO calls2 (id, phone, name, email, postal_code) SELECT id, phone, name, email, postal_code FROM sample WHERE id = '$id'");
	$node->poll_query_until('postgres', 'SELECT NOT EXISTS (SELECT FROM callsync.outbox)') or BAIL_OUT('not planned');
}
is(q1("SELECT count(DISTINCT updated_at) FROM callsync.call WHERE source = 'phones2'"), 36, 'the same calls, one by one');
# (which of two equals is the runner-up is chance: by a hash of their ids)
is(q1(<<'SQL'), '', 'each decided in the same way, on the same evidence');
SELECT a, b FROM (SELECT * FROM decisions WHERE source = 'phones') a FULL JOIN (SELECT * FROM decisions WHERE source = 'phones2') b USING (call_id)
WHERE (a.decision, a.contact, a.probability, a.margin, a.reason, a.explanation, a.evidence)
	IS DISTINCT FROM (b.decision, b.contact, b.probability, b.margin, b.reason, b.explanation, b.evidence) ORDER BY call_id
SQL
cmp_ok(q1("SELECT count(DISTINCT decision) FROM decisions"), '>=', 3, 'new, match and review were among them');
is(q1($mirror), $mirror1, 'the same contacts are expected');
is(q1($links), $links1, 'under the same keys');
done_testing();
