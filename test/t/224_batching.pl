# Batches: few writes for many calls, no look-up where the mirror knows or the key decides, read-backs together.
use strict;
use warnings;

use Test::More;

use CallsyncDialects;

my $calls = 300;
my $t = CallsyncDialects->start('batching', dialects => [ 'hubspot', 'salesforce' ]);
$t->q(qq{SELECT count(*) FROM (SELECT callsync.ingest('front', convert_to(jsonb_build_object('call_id', 'r' || i, 'event_type', 'call.ended', 'timestamp', '2026-11-20T12:00:00Z',
	'direction', 'inbound', 'started_at', '2026-11-20T10:00:00Z', 'ended_at', '2026-11-20T10:01:00Z', 'duration_s', 60, 'disposition', 'completed', 'summary', 'S ' || i,
	'caller', jsonb_build_object('phone', '+1415555' || lpad((1000 + i % 240)::text, 4, '0'), 'name', 'N' || (i % 240) || ' Caller'))::text, 'UTF8')) FROM generate_series(1, $calls) i) x});
$t->idle(120);
for my $d ($t->dialects)
{
	my %n = (write => 0, find => 0, read => 0);
	for my $r (@{ $t->crm->requests(bodies => 0, limit => 1000000) })
	{
		next if $r->{dialect} ne $d || $r->{op} =~ /describe|token/;
		$n{ $r->{op} =~ /read/ ? 'read' : $r->{op} =~ /search|query/ ? 'find' : 'write' }++;
	}
	is($t->q("SELECT count(*) FROM callsync.call_sync WHERE destination = '$d' AND status = 'synced'"), $calls, "$d: all synced");
	is(scalar @{ $t->calls($d) }, $calls, "$d: one activity each");
	is(scalar @{ $t->contacts($d) }, 240, "$d: one contact per caller");
	cmp_ok($n{write} / $calls, '<=', 0.2, "$d: writes per call");
	cmp_ok($n{find} / $calls, '<=', 1, "$d: look-ups per call");
	cmp_ok($n{read} / $calls, '<=', 0.2, "$d: read-backs per call");
	diag("$d: $calls calls, $n{write} writes, $n{find} look-ups, $n{read} read-backs");
}
done_testing();
