# Six events of a call in all 720 orders, each event twice, from two connections at once, with the
# worker delivering meanwhile: one identical row per call, one call log and one task in the CRM.
use strict;
use warnings;

use IPC::Run ();
use JSON::PP ();
use PostgreSQL::Test::Utils;
use Test::More;

use CallsyncDelivery;
use CallsyncHooks;

my ($node, $crm) = CallsyncDelivery::start('orders');
my $JSON = JSON::PP->new->canonical->utf8;

sub q1 { return CallsyncDelivery::q1($node, $_[0]); }

q1(q(SELECT callsync.create_source('hooks', 'generic', '{"region": "US", "expected": ["call.started", "call.ended", "transcription.complete", "sentiment.scored"]}')));

my @events = (
	{ event_type => 'call.started', timestamp => '2026-11-20T10:00:00Z', direction => 'inbound', dialled_number => '+14155550199',
		caller => { name => undef } },
	{ event_type => 'call_transferred', timestamp => '2026-11-20T10:01:00Z', escalation => { reason => 'asked for a person', to => 'desk' },
		summary => 'to be said later', fields => { mood => 'calm' } },
	{ event_type => 'call_completed', timestamp => '2026-11-20T10:03:00Z', disposition => 'completed', duration_s => 180, summary => 'Wants a quote.',
		caller => { name => 'Ada Lovelace' }, follow_up_task => { action => 'call_back', due_date => '2026-11-21T09:00:00Z', priority => 'high' },
		answers => { budget => 'high', rooms => [ 1, 2 ] }, fields => { mood => { now => 'glad' } } },
	{ event_type => 'call.failed', timestamp => '2026-11-20T10:03:01Z', disposition => 'failed', end_reason => 'carrier dropped the leg' },
	{ event_type => 'transcription.complete', timestamp => '2026-11-20T10:03:10Z', transcript => 'Caller: my boiler broke.', caller => { email => undef } },
	{ event_type => 'sentiment.scored', timestamp => '2026-11-20T10:05:00Z', sentiment => 'positive', fields => { mood => { now => undef, later => 'fine' } } },
);

sub permutations
{
	my @items = @_;
	return ([]) unless @items;
	return map { my $i = $_; my @rest = @items; splice(@rest, $i, 1); map { [ $items[$i], @$_ ] } permutations(@rest) } 0 .. $#items;
}

my @orders = permutations(0 .. 5);
is(scalar(@orders), 720, 'all orders of six events');

# which of the events call $n gets, as SQL
sub hook
{
	my ($n, $event) = @_;
	my %body = (%{ $events[$event] }, call_id => sprintf('o%03d', $n), event_id => "event $event");
	$body{caller} = { %{ $body{caller} // {} }, phone => sprintf('+1415556%04d', 1000 + $n), email => "o$n\@example.com" } if $event == 0;
	return 'SELECT status FROM ' . CallsyncHooks::call('hooks', $JSON->encode(\%body)) . ";\n";
}

# Four pairs of connections. The second of a pair sends the events of the same calls the other way
# round, so that each event arrives twice, and two sessions write to one call at once.
my @sessions;
for my $pair (0 .. 3)
{
	for my $side (0, 1)
	{
		my $file = $node->basedir . "/hooks-$pair-$side.sql";
		my $sql = '';
		for my $n (grep { $_ % 4 == $pair } 0 .. $#orders)
		{
			$sql .= hook($n, $_) for $side ? reverse @{ $orders[$n] } : @{ $orders[$n] };
		}
		append_to_file($file, $sql);
		my $out = '';
		my $err = '';
		push @sessions, { out => \$out, err => \$err,
			run => IPC::Run::start([ 'psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('postgres'), '-f', $file ], '<', \undef, '>', \$out, '2>', \$err) };
	}
}
$_->{run}->finish for @sessions;
is(join('', map { ${ $_->{err} } } @sessions), '', 'all were answered');
my %status;
$status{$_}++ for map { split /\n/, ${ $_->{out} } } @sessions;
is_deeply(\%status, { accepted => 4320, duplicate => 4320 }, 'each event counts once, its repetition is known');

CallsyncDelivery::idle($node, 180);

# one row, whatever the order
is(q1(q(SELECT count(*), count(DISTINCT (c.document - 'call_id' - 'caller', c.document -> 'caller' -> 'name', c.merge_state - 'r' - 'n' - 'f', (c.merge_state -> 'n') - 'call_id' - 'caller', (c.merge_state -> 'f') - 'call_id', c.status, c.events, c.expected,
		c.started_at, c.ended_at, c.complete_at, c.conflicts, c.flags, c.stage)::text) FROM callsync.call c)), '720|1', 'one identical row');
is(q1(q(SELECT status, array_to_string(conflicts, ','), document ->> 'disposition', document ->> 'summary', document ->> 'end_reason', document -> 'fields' ->> 'mood',
		document ->> 'duration_s', cardinality(events), array_to_string(flags, ',') FROM callsync.call WHERE call_id = 'o000')),
	'complete|failed_after_ended|completed|Wants a quote.|carrier dropped the leg|{"later": "fine"}|180|6|CALL_FAILED,CONFLICT', 'and the right one');
is(q1(q(SELECT count(*) FROM callsync.call WHERE call_id <> document ->> 'call_id' OR document #>> '{caller,phone}' IS DISTINCT FROM '+1415556' || (1000 + substr(call_id, 2)::int)
		OR document -> 'caller' ? 'email')), 0, 'each with its own caller; a null clears');
is(q1("SELECT count(*) FROM callsync.incomplete_calls"), 0, 'none is incomplete');

# one of everything in the CRM, all alike
is(q1(q(SELECT status, count(*) FROM callsync.call_sync GROUP BY 1)), 'synced|720', 'call_sync') or diag(q1('SELECT * FROM callsync.call_sync WHERE status <> $$synced$$ LIMIT 3'));
is($crm->count('calls'), 720, 'one call log each');
is($crm->count('tasks'), 720, 'one task each');
is($crm->count('contacts'), 720, 'one contact each');
for my $object (qw(calls tasks))
{
	my %seen;
	for my $record (@{ $crm->records($object) })
	{
		my %fields = %{ $record->{properties} // $record->{fields} // $record };
		delete $fields{$_} for grep { /(^|_)(id|key|objectid)$|date|createdate|modified|callsync|number|owner_assigned/ } keys %fields;
		# the caller's own values differ by intent
		my $text = $JSON->encode(\%fields);
		$text =~ s/o\d{3}|1415556\d{4}|o\d+\@example/X/g;
		$seen{$text}++;
	}
	is(scalar(keys %seen), 1, "all $object are alike") or diag(join("\n", (sort keys %seen)[0, 1]));
}

# a late event re-opens, updates and confirms again; the status stays
q1(q(SELECT callsync.ingest('hooks', '{"event_type": "sentiment.scored", "timestamp": "2026-11-20T11:00:00Z", "call_id": "o000", "sentiment": "neutral", "summary": "Wants a quote by Friday."}')));
CallsyncDelivery::idle($node);
is(q1("SELECT c.status, c.document ->> 'sentiment', s.status FROM callsync.call c JOIN callsync.call_sync s USING (source, call_id) WHERE call_id = 'o000'"),
	'complete|neutral|synced', 'a late event: merged, delivered, still complete');
is($crm->count('calls'), 720, 'still one call log each');
is(scalar(grep { $JSON->encode($_) =~ /by Friday/ } @{ $crm->records('calls') }), 1, 'and the CRM has the new summary');
done_testing();
