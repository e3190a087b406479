# Alerts that people get: a row and a NOTIFY for each kind that asks somebody to act, at the moment it happens, once; over
# when its cause is gone; and heard again when it happens again.
use strict;
use warnings;

use IPC::Run ();
use PostgreSQL::Test::Utils;
use Test::More;

use CallsyncDelivery;

my ($node, $crm) = CallsyncDelivery::start('alerts', sandbox => { dialects => [ 'hubspot', 'webhook' ] }, conf => "callsync.clock_offset = 0\n");
$crm->config({ dialect => 'webhook', secrets => [] });

sub q1 { return CallsyncDelivery::q1($node, $_[0]); }
sub wait_for { my ($query, $name) = @_; return ok($node->poll_query_until('postgres', $query), $name) || diag(q1('SELECT * FROM callsync.alerts')); }
sub option { my (%o) = @_; return "\$j\$" . CallsyncDelivery::json(\%o) . "\$j\$"; }

# Somebody who listens. psql shows what came when it has answered a command.
my ($in, $out, $err) = ("LISTEN callsync_alerts;\n\\echo listening\n", '', '');
my $listener = IPC::Run::start([ 'psql', '-XAtq', '-d', $node->connstr('postgres') ], '<', \$in, '>', \$out, '2>', \$err, IPC::Run::timeout(600));
$listener->pump until $out =~ /listening/;
# How often was this kind of this destination heard of? What was committed before the mark came before it.
my $mark = 0;
sub heard
{
	my ($kind, $destination) = @_;
	my $payload = 'mark ' . ++$mark;
	q1("NOTIFY callsync_alerts, '$payload'");
	for (my $n = 0; $out !~ /"\Q$payload\E"/; $n++)
	{
		# each question is answered before the next is asked
		$in .= "SELECT 'asked $mark.$n';\n";
		$listener->pump until $out =~ /^asked $mark\.$n$/m;
	}
	my $of = defined $destination ? qr/"destination": "$destination"/ : qr/"destination": null/;
	return scalar grep { /"kind": "$kind"/ && $_ =~ $of } $out =~ /payload "(\{[^\n]*\})" received/g;
}
sub alert
{
	my ($kind, $destination, $subject, $severity) = @_;
	my $whose = defined $destination ? "destination = '$destination'" : 'destination IS NULL';
	wait_for("SELECT count(*) = 1 FROM callsync.alerts WHERE kind = '$kind' AND $whose AND subject = '$subject' AND severity = '$severity'
		AND cleared_at IS NULL AND message <> '' AND remedy <> ''", "$kind: a row, with what to do about it");
	return;
}
sub over
{
	my ($kind, $destination) = @_;
	return wait_for("SELECT count(*) = 0 FROM callsync.alerts WHERE kind = '$kind' AND destination = '$destination' AND cleared_at IS NULL", "$kind: over");
}

# ---- dead letters ----
my $refuse = { action => 'status', status => 400, body => { status => 'error', category => 'VALIDATION_ERROR', message => 'no' }, match => { method => 'POST', path => '/contacts/' }, count => -1 };
$crm->fault($refuse);
CallsyncDelivery::call($node, "dead$_", phone => "415555300$_") for 1 .. 3;
wait_for("SELECT count(*) = 3 FROM callsync.dead_letters WHERE step = 'contact'", 'three dead letters');
alert('dead_letter', 'crm', 'contact', 'warning');
is(q1("SELECT count FROM callsync.alerts WHERE kind = 'dead_letter' AND subject = 'contact'"), '3', 'which counts them');
is(heard('dead_letter', 'crm'), 1, 'and one NOTIFY');
# some of them: it is not over
q1("SELECT callsync.redrive('crm', '{\"call_id\": \"dead1\"}', false)");
wait_for("SELECT count(*) = 3 FROM callsync.dead_letters", 'refused again');
is(heard('dead_letter', 'crm'), 1, 'it goes on: the same alert');
$crm->clear_faults;
q1("SELECT callsync.redrive('crm', '{}', false)");
over('dead_letter', 'crm');
CallsyncDelivery::idle($node);
is(q1("SELECT count(*) FROM callsync.call_sync WHERE status = 'synced'"), '3', 'redriven');
# another day: it is news again
$crm->fault($refuse);
CallsyncDelivery::call($node, 'dead4', phone => '4155553004');
alert('dead_letter', 'crm', 'contact', 'warning');
is(heard('dead_letter', 'crm'), 2, 'the next one is heard of again');
# an alert that nobody cared about, and an hour of quiet
my $id = q1("SELECT id FROM callsync.alerts WHERE kind = 'dead_letter' AND cleared_at IS NULL");
q1("UPDATE callsync.alert SET last_at = last_at - interval '61 min', notified_at = notified_at - interval '61 min' WHERE id = $id");
CallsyncDelivery::call($node, 'dead5', phone => '4155553005');
wait_for("SELECT count = 2 AND notified_at > raised_at FROM callsync.alerts WHERE id = $id", 'it happens again after an hour');
is(heard('dead_letter', 'crm'), 3, 'and is heard of again');
q1("SELECT callsync.clear_alert($id)");
over('dead_letter', 'crm');
is(q1("SELECT detail ->> 'id' FROM callsync.audit_log WHERE action = 'clear_alert'"), $id, 'who said so is on record');
like(($node->psql('postgres', 'SELECT callsync.clear_alert(0)'))[2], qr/alert 0 does not exist.*HINT:  Alerts are listed in callsync.alerts/s, 'an alert that is none');
$crm->clear_faults;

# ---- breaker open ----
$crm->fault({ action => 'status', status => 503, dialect => 'hubspot', match => { method => 'POST' }, count => -1 });
CallsyncDelivery::call($node, "down$_", phone => "415555310$_") for 1 .. 8;
alert('destination_down', 'crm', '', 'critical');
is(heard('destination_down', 'crm'), 1, 'NOTIFY');
# another worker takes over: it knows what was said
q1("SELECT callsync.stop('1s')");
q1('SELECT callsync.start()');
$crm->clear_faults;
over('destination_down', 'crm');
CallsyncDelivery::idle($node);

# ---- a credential that the API refuses ----
$crm->fault({ action => 'status', status => 401, dialect => 'hubspot', match => { method => 'POST' }, count => -1 });
CallsyncDelivery::call($node, 'auth1', phone => '4155553201');
alert('auth', 'crm', '', 'critical');
is(heard('auth', 'crm'), 1, 'NOTIFY');
q1("SELECT callsync.stop('1s')");
$crm->clear_faults;
q1('SELECT callsync.start()');
CallsyncDelivery::idle($node);
over('auth', 'crm');

# ---- OAuth: a person has to consent anew ----
# (what the sandbox revokes is every credential)
q1("SELECT callsync.drop_destination('crm', true)");
$crm->tokens({ action => 'revoke' });
q1("SELECT callsync.create_destination('oauth', 'hubspot', " . option(base_url => $crm->url, allow_addresses => ['127.0.0.1/32']) . ')');
q1("SELECT callsync.set_secret('oauth', '$_->[0]', '$_->[1]')") for [ 'client_id', 'sandbox-client' ], [ 'client_secret', 'sandbox-secret' ], [ 'refresh_token', 'sandbox-refresh' ];
alert('reauth_required', 'oauth', '', 'critical');
is(heard('reauth_required', 'oauth'), 1, 'NOTIFY');
$crm->tokens({ action => 'issue', refresh_token => 'consent' });
q1("SELECT callsync.set_secret('oauth', 'refresh_token', 'consent')");
over('reauth_required', 'oauth');

# ---- a destination that is dropped leaves no alert behind ----
$crm->tokens({ action => 'revoke' });
q1("SELECT callsync.set_secret('oauth', 'refresh_token', 'sandbox-refresh')");
alert('reauth_required', 'oauth', '', 'critical');
q1("SELECT callsync.drop_destination('oauth', true)");
over('reauth_required', 'oauth');

# ---- a quota that is nearly used ----
q1("SELECT callsync.create_destination('hook', 'webhook', "
	. option(base_url => $crm->url('webhook') . '/hook/calls', allow_addresses => ['127.0.0.1/32'], limits => { batch => 1, day => { rate => 20, per_s => 86400 } }, retry => $CallsyncDelivery::FAST_RETRY) . ')');
CallsyncDelivery::call($node, "quota$_", phone => "415555330$_") for 1 .. 9;
CallsyncDelivery::idle($node);
is(heard('quota', 'hook'), 0, 'far from the limit: nothing');
CallsyncDelivery::call($node, "quota1$_", phone => "415555331$_") for 0 .. 9;
alert('quota', 'hook', 'day', 'warning');
is(heard('quota', 'hook'), 1, 'NOTIFY');

# ---- an endpoint that asked not to be called any more ----
q1("SELECT callsync.alter_destination('hook', '{\"limits\": {\"day\": {\"rate\": 10000, \"per_s\": 86400}}}')");
# with the next request, as after midnight
CallsyncDelivery::call($node, 'quota20', phone => '4155553320');
over('quota', 'hook');
$crm->fault({ action => 'status', status => 410, dialect => 'webhook', count => -1 });
CallsyncDelivery::call($node, 'gone1', phone => '4155553401');
alert('destination_disabled', 'hook', '', 'critical');
is(heard('destination_disabled', 'hook'), 1, 'NOTIFY');
$crm->clear_faults;
q1("SELECT callsync.resume('hook')");
over('destination_disabled', 'hook');

# ---- a copy ----
q1("SELECT callsync.stop('1s')");
$node->append_conf('postgresql.conf', "callsync.instance = 'staging'");
$node->reload;
q1('SELECT callsync.start()');
alert('copy', undef, '', 'critical');
is(heard('copy', undef), 1, 'NOTIFY');

$in .= "\\q\n";
$listener->finish;
unlike($out, qr/sandbox-(?:client|secret|refresh|token)|consent|415555/, 'nothing of a credential or of a person is in what is heard');
$crm->stop;
done_testing();
