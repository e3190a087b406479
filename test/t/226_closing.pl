# Dynamics: cases are resolved and opportunities won or lost by actions of their own, also when the answer is lost or
# somebody was faster; a cancelled case is a plain update.
use strict;
use warnings;

use Test::More;

use CallsyncDialects;

my $t = CallsyncDialects->start('closing', dialects => ['dynamics']);
my $crm = $t->crm;
my %caller = (caller => { phone => '+14155550101', name => 'Jordan Smith' }, started_at => '2026-11-20T09:00:00Z', ended_at => '2026-11-20T09:01:00Z', duration_s => 60, disposition => 'completed', summary => 'All done.');

sub row { my ($set, $id) = @_; my ($r) = grep { $_->{id} eq $id } @{ $t->records('dynamics', $set) }; return $r->{properties}; }
sub state { my ($set, $id) = @_; my $p = row($set, $id); return join('/', map { $_ // '-' } @$p{qw(statecode statuscode)}); }
sub steps { my ($call) = @_; return $t->q("SELECT string_agg(step || ':' || operation || ':' || state || ':' || coalesce(confirmation, '-'), ' ' ORDER BY step) FROM callsync.deliveries WHERE call_id = '$call' AND step ~ '^(ticket|opportunity)'"); }

my %deal = map { $_ => $t->add_deal('dynamics') } qw(won lost cancelled open);
my %case = map { $_ => $t->add_ticket('dynamics') } qw(closed cancelled open);

# ---- each way to close, the answer to the first try lost ----
$crm->fault({ dialect => 'dynamics', action => 'drop_after', match => { method => 'POST', path => '/(Win|Lose)Opportunity|/CloseIncident' }, count => 2 });
$t->call('won', { %caller, opportunity => { id => $deal{won}, stage => 'won', amount => 4200 }, ticket => { id => $case{closed}, status => 'resolved', comment => 'Leak is fixed.' } });
$t->call('lost', { %caller, opportunity => { id => $deal{lost}, stage => 'Closed Lost', amount => 10 } });
$t->call('cancelled', { %caller, opportunity => { id => $deal{cancelled}, stage => 'cancelled' }, ticket => { id => $case{cancelled}, status => 'Cancelled' } });
$t->call('open', { %caller, opportunity => { id => $deal{open}, stage => 'Propose', amount => 77 }, ticket => { id => $case{open}, status => 'on_hold' } });
$t->idle;
is($t->q("SELECT string_agg(call_id || ' ' || status || ' ' || coalesce(last_error, ''), ', ') FROM callsync.call_sync WHERE status <> 'synced'"), '', 'all synced');
is(state('opportunities', $deal{won}), '1/3', 'won');
is(row('opportunities', $deal{won})->{actualvalue}, 4200, 'for how much');
is(state('opportunities', $deal{lost}), '2/5', 'lost');
is(row('opportunities', $deal{lost})->{actualvalue}, undef, 'without a value');
is(state('opportunities', $deal{cancelled}), '2/4', 'cancelled');
is(state('opportunities', $deal{open}), '0/1', 'an open one is updated');
is(row('opportunities', $deal{open})->{stepname}, 'Propose', 'to its stage');
is(state('incidents', $case{closed}), '1/5', 'the case is resolved');
is(state('incidents', $case{cancelled}), '2/6', 'a cancelled case');
is(state('incidents', $case{open}), '0/2', 'a case on hold');
is($crm->count('incidentresolutions'), 1, 'one resolution, though its answer was lost');
is($crm->count('opportunitycloses'), 3, 'three opportunities closed, once each');
cmp_ok($t->q("SELECT count(*) FROM callsync.attempts a JOIN callsync.deliveries d ON d.id = a.delivery_id WHERE a.outcome = 'unknown' AND d.step ~ '_close\$'"), '>', 0, 'an answer was lost');
is(steps('won'), 'opportunity_close:opportunity.win:confirmed:read_back ticket_close:ticket.close:confirmed:read_back ticket_note:note.upsert:confirmed:read_back', 'read back, and the comment is there');

# ---- closed already: as the call says, and otherwise ----
$t->call('again', { %caller, opportunity => { id => $deal{won}, stage => 'won', amount => 4200 }, ticket => { id => $case{closed}, status => 'closed' } });
$t->call('late', { %caller, opportunity => { id => $deal{won}, stage => 'lost' } });
$t->idle;
is($t->status('dynamics', 'again'), 'synced', 'closed already, as the call says');
is($t->q("SELECT status, failure_kind, missing_fields FROM callsync.call_sync WHERE call_id = 'late'"), 'partial|partial|{}', 'won already, but the call says lost: somebody has to look');
is($t->q("SELECT field, sent, stored, status FROM callsync.field_writes WHERE call_id = 'late' AND step = 'opportunity_close' ORDER BY field"),
	"statecode|2|1|altered\nstatuscode|5|3|altered", 'field by field');
is(state('opportunities', $deal{won}), '1/3', 'it stays as it was');
is($crm->count('incidentresolutions') + $crm->count('opportunitycloses'), 4, 'nothing was closed twice');

# ---- refused: a person decides ----
$crm->fault({ dialect => 'dynamics', action => 'status', status => 403, match => { method => 'POST', path => '/WinOpportunity' }, count => 1 });
$t->call('denied', { %caller, opportunity => { id => $deal{open}, stage => 'won' } });
$t->idle;
is($t->q("SELECT step, operation, error_class FROM callsync.dead_letters"), 'opportunity_close|opportunity.win|config', 'no right to close it');
is($t->q("SELECT redriven FROM callsync.redrive('dynamics', '{}', false)"), 1, 'given the right');
$t->idle;
is($t->status('dynamics', 'denied'), 'synced', 'it is closed');
is(state('opportunities', $deal{open}), '1/3', 'won');
done_testing();
