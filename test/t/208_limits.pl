# Limits are obeyed and not felt by others: rate limits as the CRM counts them, Retry-After in both forms, the
# priority ladder when capacity is short, one dead destination beside a living one.
use strict;
use warnings;

use PostgreSQL::Test::Utils;
use Test::More;

use CallsyncDelivery;

# no batches in this test: with them everything would fit into one request
my ($node, $crm) = CallsyncDelivery::start('limits', options => { limits => { batch => 1, burst => { rate => 20, per_s => 1 } }, verify => 'response' });

# ms of the sandbox's own clock
sub ms
{
	my ($r) = @_;
	my ($h, $m, $s) = $r->{time} =~ /T(\d+):(\d+):([\d.]+)Z/ or die "no time: $r->{time}";
	return (($h * 60 + $m) * 60 + $s) * 1000;
}

$node->safe_psql('postgres', <<'SQL');
INSERT INTO calls (id, phone, name, started_at, summary)
SELECT 'r' || i, '415' || lpad((5550000 + i)::text, 7, '0'), 'Caller ' || i, '2026-11-20 10:00:00+00', 'x' FROM generate_series(1, 20) i;
SQL
CallsyncDelivery::idle($node);
my @t = sort { $a <=> $b } map { ms($_) } @{ $crm->requests(bodies => 0, limit => 100000) };
cmp_ok(scalar @t, '>=', 60, 'sixty requests and more') or diag(join ' ', @t);
my $worst = 0;
for my $i (0 .. $#t)
{
	my $n = grep { $_ >= $t[$i] && $_ < $t[$i] + 1000 } @t;
	$worst = $n if $n > $worst;
}
cmp_ok($worst, '<=', 20, "never more than 20 in any second ($worst)");
cmp_ok($worst, '>=', 15, 'and no fewer than needed');
is($crm->count('calls'), 20, 'all arrived');
like(CallsyncDelivery::q1($node, "SELECT limits FROM callsync.destination_status"), qr/"name": "burst".*"limit": 20|"limit": 20.*"name": "burst"/, 'use against the limit is visible');

# Retry-After, in seconds and as a date
for my $form ('seconds', 'date')
{
	$crm->clear_requests;
	$crm->fault({ action => 'throttle', retry_after => 2, ($form eq 'date' ? (form => 'date') : ()), count => 1, match => { method => 'POST' } });
	CallsyncDelivery::call($node, "ra-$form", phone => "41555500" . ($form eq 'date' ? '91' : '92'));
	CallsyncDelivery::idle($node);
	my $log = $crm->requests(bodies => 0);
	my ($refused) = grep { $_->{status} == 429 } @$log;
	ok($refused, "Retry-After ($form): refused once");
	my @later = grep { $_->{seq} > $refused->{seq} && ms($_) < ms($refused) + ($form eq 'date' ? 900 : 1900) } @$log;
	# what was on its way already cannot be called back
	cmp_ok(scalar(@later), '<=', 8, 'obeyed');
	is(CallsyncDelivery::q1($node, "SELECT status FROM callsync.call_sync WHERE call_id = 'ra-$form'"), 'synced', 'and delivered afterwards');
}

# the ladder: with room for one at a time, contacts go before calls, calls before tasks
CallsyncDelivery::q1($node, q{SELECT callsync.pause('crm')});
CallsyncDelivery::q1($node, q{SELECT callsync.alter_destination('crm', '{"limits": {"batch": 1, "concurrency": 1, "burst": {"rate": 1000, "per_s": 1}}}')});
$node->safe_psql('postgres', <<'SQL');
INSERT INTO calls (id, phone, name, started_at, summary, task)
SELECT 'p' || i, '415' || lpad((5551000 + i)::text, 7, '0'), 'Ladder ' || i, '2026-11-20 10:00:00+00', 'x', '{"action": "call_back", "due_at": "2026-11-21T09:00:00Z"}'
FROM generate_series(1, 10) i;
SQL
ok($node->poll_query_until('postgres', "SELECT count(*) = 10 FROM callsync.sync_state WHERE call_id LIKE 'p%'"), 'planned');
$crm->clear_requests;
CallsyncDelivery::q1($node, q{SELECT callsync.resume('crm')});
CallsyncDelivery::idle($node);
my $order = join('', map { $_->{url} =~ m{/contacts/batch/upsert} ? 'c' : $_->{url} =~ m{/calls/batch/upsert} ? 'l' : $_->{url} =~ m{/tasks/batch/upsert} ? 't' : '' }
	sort { $a->{seq} <=> $b->{seq} } @{ $crm->requests(bodies => 0) });
like($order, qr/^c{10}l{10}t{10}$/, 'contact before call log before task');
done_testing();
