# The webhook connector's presets: each receiver gets mapped fields in the shape that it is made for, its answers mean what
# they mean (an acceptance is no proof), and what it refuses is named.
use strict;
use warnings;

use JSON::PP ();
use Test::More;

use CallsyncDelivery;

my $JSON = JSON::PP->new->canonical->utf8(0);
my @presets = qw(zapier make n8n n8n_finished slack adf);
my ($node, $crm) = CallsyncDelivery::start('presets', connector => 'webhook', path => '/hook/plain', no_wait => 1, conf => "callsync.naptime = '200ms'\n");
sub q1 { return CallsyncDelivery::q1($node, @_); }
sub poll { my ($sql, $name) = @_; return ok($node->poll_query_until('postgres', $sql), $name); }

$crm->config({ styles => { zapier => 'zapier', make => 'make', n8n => 'n8n', n8n_finished => 'n8n_finished', slack => 'slack', adf => 'adf' } });
q1("SELECT callsync.create_source('front', 'generic', '{\"unsigned\": true, \"region\": \"US\"}')");
for my $p (@presets)
{
	my %vars = $p eq 'adf' ? (base => { vars => { vendor_name => 'Smith & "Sons" <Motors>', vendor_phone => '+14155550900' } }) : ();
	my $options = $JSON->encode({ ($p eq 'slack' ? () : (base_url => $crm->url . "/hook/$p/x")), allow_addresses => ['127.0.0.1/32'], region => 'US', override => { preset => $p, %vars },
		retry => { %$CallsyncDelivery::FAST_RETRY, throttled => { base_ms => 50, cap_ms => 200, floor_ms => 10, cap_s => 1 } }, limits => { burst => { rate => 10000, per_s => 1 } } });
	q1("SELECT callsync.create_destination('$p', 'webhook', \$j\$$options\$j\$)");
	# the address is the secret
	q1("SELECT callsync.set_secret('$p', 'url_secret', '" . $crm->url . "/hook/$p/x')") if $p eq 'slack';
}
q1("SELECT callsync.set_route('crm', '*', '[]')");
poll("SELECT callsync.wait_until_running('10s')", 'workers run');

my $n = 0;
sub call
{
	my ($id, %c) = @_;
	$n++;
	my $body = $JSON->encode({ call_id => $id, event_type => 'call.ended', timestamp => sprintf('2026-11-20T12:00:%02dZ', $n), started_at => '2026-11-20T10:00:00Z', ended_at => '2026-11-20T10:02:05Z', duration_s => 125,
		caller => { phone => '(415) 555-2671', name => 'Ada <Lovelace> & "Co"', email => ' Ada@Example.com', postal_code => '94105' }, disposition => 'booked', intent => 'test drive', urgency => 'high',
		summary => "Says: ]]> & <b>\"now\"</b> \x{fc}ber\x{0001} 'Model Y'.", fields => { vehicle_model => 'Model <Y> & "Z"', vehicle_make => 'Tesla', vehicle_year => 2026, requested_service => 'test drive' },
		answers => { 'Trade in?' => 'a & b' }, recording_url => 'https://rec.example.com/1?a=1&b=2', appointment => { action => 'book', service => 'Test drive', start => '2026-11-25T14:00:00Z' },
		follow_up_task => { action => 'call_back', due_at => '2026-11-23T09:30:00Z' }, %c });
	is(q1("SELECT status FROM callsync.ingest('front', convert_to(\$j\$$body\$j\$, 'UTF8'))"), 'accepted', "call $id is taken");
	return;
}
sub settled { is(q1("SELECT callsync.wait_until_idle('120s')"), 't', $_[0]); return; }
sub state_of { my ($p, $call) = @_; return q1("SELECT state, coalesce(confirmation, '-'), coalesce(error_class, '-') FROM callsync.deliveries WHERE destination = '$p' AND call_id = '$call' ORDER BY id DESC LIMIT 1"); }
sub got { my ($p) = @_; return [ map { $_->{properties} } grep { $_->{properties}{path} eq "$p/x" } @{ $crm->records('hooks', limit => 1000) } ]; }
# what one receiver says from now on
sub answers
{
	my ($status, $reply, $headers) = @_;
	$crm->config({ styles => {}, status => $status, reply => $reply, reply_headers => $headers // { 'Content-Type' => 'text/plain' } });
	return;
}
sub only { my ($p, $call, %c) = @_; call($call, type => "only_$p", %c); return; }
for my $p (@presets) { q1("SELECT callsync.set_route('$_', 'only_$p', '[]')") for grep { $_ ne $p } @presets; }

# ---- what each gets ----
call('c1');
settled('sent');
is(state_of('zapier', 'c1'), 'sent|transport|-', 'Zapier: success is an acceptance');
is(state_of('make', 'c1'), 'sent|transport|-', 'Make: Accepted is an acceptance');
is(state_of('n8n', 'c1'), 'sent|transport|-', 'n8n that answers immediately: an acceptance');
is(state_of('n8n_finished', 'c1'), 'confirmed|response|-', 'n8n that answers when it is through: an answer');
is(state_of('slack', 'c1'), 'confirmed|response|-', 'Slack: ok');
is(state_of('adf', 'c1'), 'confirmed|response|-', 'ADF: taken') or diag(q1("SELECT last_error FROM callsync.deliveries WHERE destination = 'adf'"), "\n", q1("SELECT convert_from(body, 'UTF8') FROM callsync.attempt WHERE destination = 'adf' LIMIT 1"));

is(q1("SELECT string_agg(DISTINCT status, ' ') FROM callsync.call_sync WHERE call_id = 'c1' AND destination <> 'crm'"), 'synced', 'the call counts as synced with each of them');
is(q1("SELECT string_agg(DISTINCT status, ' ') FROM callsync.field_writes WHERE call_id = 'c1'"), 'unverified', 'no field is called confirmed');

is(q1("SELECT string_agg(destination || ' ' || confirmation, ', ' ORDER BY destination) FROM callsync.destination_status"), 'adf response, crm response, make transport, n8n transport, n8n_finished response, slack response, zapier transport', 'destination_status tells the level');

my ($zap) = @{ got('zapier') };
is($zap->{json}{call_id}, 'c1', 'Zapier: flat');
is($zap->{json}{caller_phone}, '+14155552671', 'mapped');
is($zap->{json}{event}, 'call.ended', 'the event');
like($zap->{json}{message_id}, qr/^msg_[0-9a-f]+$/, 'an id to know a repetition by');
for my $p (qw(make n8n n8n_finished))
{
	my ($m) = @{ got($p) };
	is_deeply([ sort keys %{ $m->{json} } ], [qw(call event message_id occurred_at)], "$p: event and call");
	is($m->{json}{call}{caller_email}, 'ada@example.com', "$p: mapped");
	is($m->{json}{call}{field_vehicle_make}, 'Tesla', "$p: structured");
	is($m->{json}{call}{transcript}, undef, "$p: no transcript");
}
my ($slack) = @{ got('slack') };
my @blocks = @{ $slack->{json}{blocks} };
is(join(' ', map { $_->{type} } @blocks), 'header section section context', 'Slack: blocks');
is($blocks[0]{text}{text}, 'booked: Ada &lt;Lovelace&gt; &amp; "Co"', 'escaped');
is(join('|', map { $_->{text} =~ /^\*(\w+)/ } @{ $blocks[1]{fields} }), 'Caller|Intent|Urgency|Appointment|Next', 'facts');
like($blocks[2]{text}{text}, qr/^Says: \]\]&gt; &amp; &lt;b&gt;/, 'what was said cannot make markup');
is($blocks[3]{elements}[0]{text}, '<https://rec.example.com/1?a=1&b=2|Recording>', 'the recording');
like($slack->{json}{text}, qr/^\*booked\*: Ada/, 'and the text for notifications');

my ($adf) = @{ got('adf') };
is($adf->{content_type}, 'application/xml; charset=utf-8', 'ADF: XML');
my $xml = $adf->{text};
is(scalar(() = $xml =~ /<prospect[ >]/g), 1, 'one lead');
like($xml, qr{<year>2026</year><make>Tesla</make><model>Model &lt;Y&gt; &amp; (?:"|&quot;)Z(?:"|&quot;)</model>}, 'the vehicle, escaped');
like($xml, qr{<vendorname>Smith &amp; (?:"|&quot;)Sons(?:"|&quot;) &lt;Motors&gt;</vendorname>}, "the dealer's name of base.vars");
like($xml, qr{Says: \]\]&gt; &amp; &lt;b&gt;.*\x{fc}ber ?'?}, 'what was said') or diag($xml);
like($xml, qr{<email>ada\@example\.com</email>\s*<phone type="voice" time="nopreference">\+14155552671</phone>}, 'contact');
like($xml, qr{<earliestdate>2026-11-25T14:00:00Z</earliestdate>}, 'when');
is(q1("SELECT sent FROM callsync.field_writes WHERE destination = 'adf' AND call_id = 'c1' AND field = 'vehicle_make'"), 'Tesla', 'field_writes: what the lead holds');

# a caller who says next to nothing is a lead all the same
only('adf', 'bare', caller => { phone => 'anonymous' }, fields => {}, answers => {}, summary => undef, intent => undef, urgency => undef, recording_url => undef, appointment => undef, follow_up_task => undef, disposition => undef);
only('slack', 'bare-slack', caller => { phone => 'anonymous' }, fields => {}, answers => {}, summary => undef, intent => undef, urgency => undef, recording_url => undef, appointment => undef, follow_up_task => undef, disposition => undef);
settled('a bare call');
is(state_of('adf', 'bare'), 'confirmed|response|-', 'ADF: a bare call') or diag(q1("SELECT last_error FROM callsync.deliveries WHERE call_id = 'bare'"));
is(state_of('slack', 'bare-slack'), 'confirmed|response|-', 'Slack: a bare call') or diag(q1("SELECT last_error FROM callsync.deliveries WHERE call_id = 'bare-slack'"));
# as long as it gets
only('slack', 'long', summary => '&' x 20000, intent => 'i' x 5000, caller => { phone => '+14155550111', name => 'n' x 400 });
settled('a long call');
is(state_of('slack', 'long'), 'confirmed|response|-', "Slack: cut to what its blocks hold") or diag(q1("SELECT last_error FROM callsync.deliveries WHERE call_id = 'long'"));

# ---- what each says no with ----
my %refusal = (
	# preset => [[status, answer, state, class, like error], ...]
	zapier => [ [ 200, { status => 'error', message => 'no such hook' }, 'waiting_retry', 'transient', qr/no such hook/ ] ],
	n8n_finished => [ [ 200, { message => 'Workflow was started' }, 'dead', 'config', qr/Workflow was started/ ], [ 404, { code => 404, message => 'The requested webhook is not registered.' }, 'dead', 'config', qr/not registered/ ] ],
	n8n => [ [ 404, { code => 404, message => 'The requested webhook is not registered.' }, 'dead', 'config', qr/not registered/ ] ],
	make => [ [ 422, 'no such field', 'dead', 'permanent', qr/no such field/ ] ],
	slack => [ [ 400, 'invalid_payload', 'dead', 'permanent', qr/^invalid_payload/ ], [ 403, 'invalid_token', 'waiting_retry', 'auth', qr/^invalid_token/ ], [ 500, 'rollup_error', 'waiting_retry', 'transient', qr/^rollup_error/ ],
		[ 200, 'welcome to the hotel', 'waiting_retry', 'transient', qr/welcome/ ] ],
	adf => [ [ 400, 'no such dealer', 'dead', 'permanent', qr/no such dealer/ ] ]);
for my $p (sort keys %refusal)
{
	my $i = 0;
	for my $r (@{ $refusal{$p} })
	{
		my ($status, $reply, $state, $class, $error) = @$r;
		my $call = "$p-no-" . ++$i;
		answers($status, $reply, ref $reply ? { 'Content-Type' => 'application/json' } : undef);
		only($p, $call);
		poll("SELECT count(*) > 0 FROM callsync.attempts a JOIN callsync.deliveries d ON d.id = a.delivery_id WHERE d.destination = '$p' AND d.call_id = '$call' AND a.error_class = '$class' AND a.message ~ '" . ($error =~ /:\^?(.*)\)$/ ? $1 : '') . "'", "$p $status: $class")
			or diag(q1("SELECT a.error_class, a.message FROM callsync.attempts a JOIN callsync.deliveries d ON d.id = a.delivery_id WHERE d.call_id = '$call'"));
		if ($state eq 'dead')
		{
			poll("SELECT count(*) = 1 FROM callsync.dead_letters WHERE destination = '$p' AND call_id = '$call' AND remedy <> ''", "$p $status: put aside, with a remedy");
		}
		answers(200, $p eq 'slack' ? 'ok' : $p eq 'zapier' ? { status => 'success' } : 'Accepted', $p eq 'zapier' ? { 'Content-Type' => 'application/json' } : undef);
		q1("SELECT callsync.redrive('$p', '{}', false)");
		q1("SELECT callsync.set_secret('$p', 'url_secret', '" . $crm->url . "/hook/$p/x')") if $class eq 'auth';
		q1("SELECT callsync.resume('$p')") if q1("SELECT paused FROM callsync.destination WHERE name = '$p'") eq 't';
		poll("SELECT bool_and(state IN ('sent', 'confirmed')) FROM callsync.deliveries WHERE destination = '$p' AND call_id = '$call' AND state <> 'superseded'", "$p $status: goes on when the cause is gone")
			or diag(q1("SELECT state, error_class, last_error FROM callsync.deliveries WHERE call_id = '$call'"));
	}
}

# a queue that is full: later, for everything that goes there
answers(400, 'Queue is full.');
only('make', 'make-full');
poll("SELECT error_class = 'throttled' AND next_attempt_at > clock_timestamp() FROM callsync.deliveries WHERE call_id = 'make-full' AND destination = 'make'", 'Make: a full queue is a matter of time');

# ---- an address that is gone: nobody goes on knocking ----
for my $p ([ 'slack', 404, 'no_service' ], [ 'n8n', 410, 'Gone.' ])
{
	answers($p->[1], $p->[2]);
	only($p->[0], "$p->[0]-gone");
	poll("SELECT paused FROM callsync.destination WHERE name = '$p->[0]'", "$p->[0]: paused");
	is(q1("SELECT count(*) FROM callsync.alerts WHERE kind = 'destination_disabled' AND destination = '$p->[0]' AND cleared_at IS NULL"), 1, "$p->[0]: people are told");
}
done_testing();
