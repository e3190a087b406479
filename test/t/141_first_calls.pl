# Two hundred first calls of one unknown caller at the same moment, over three workers: one contact.
use strict;
use warnings;

use PostgreSQL::Test::Utils;
use Test::More;

use CallsyncDelivery;

my ($node, $crm) = CallsyncDelivery::start('first_calls', sandbox => { log_bodies => 0 },
	conf => "callsync.workers = 3\nmax_worker_processes = 16\nmax_connections = 260\n");

sub q1 { return CallsyncDelivery::q1($node, @_) }

# the number in several spellings; some tell the name and the mailbox, some do not
my $script = $node->basedir . '/call.sql';
append_to_file($script, <<'SQL');
INSERT INTO calls (id, phone, name, email, started_at, summary)
SELECT 'c' || :client_id, (ARRAY['(415) 555-2901', '+1 415 555 2901', '415-555-2901'])[1 + :client_id % 3],
	(ARRAY['Una Known', NULL])[1 + :client_id % 2], CASE WHEN :client_id % 5 = 0 THEN 'una.known@example.com' END, '2026-11-20 10:00:00+00', 'x';
SQL
$node->command_ok([ 'pgbench', '--no-vacuum', '--client' => 200, '--jobs' => 2, '--transactions' => 1, '--file' => $script, 'postgres' ], 'two hundred sessions');
is(q1('SELECT count(*) FROM calls'), 200, 'two hundred calls');
CallsyncDelivery::idle($node, 120);
is(q1('SELECT count(*) FROM callsync.dead_letters'), 0, 'nothing failed');
is($crm->count('contacts'), 1, 'one contact');
is($crm->count('calls'), 200, 'two hundred activities');
is(q1('SELECT count(DISTINCT contact_record_id) FROM callsync.call_sync'), 1, 'all of one contact');
is(q1("SELECT count(*) FROM callsync.contact WHERE destination = 'crm'"), 1, 'which is once in the mirror');
is(q1('SELECT count(*) FROM callsync.review_queue'), 0, 'nobody has to decide anything');
done_testing();
