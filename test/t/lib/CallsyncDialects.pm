# One server, one sandbox, a destination per CRM dialect: every call goes to all of them, and what arrived
# can be asked for in one shape.
#
#   my $t = CallsyncDialects->start('name', dialects => [...], options => {...});
#   $t->call('c1', { caller => {...}, ... });     # one event; every destination gets it
#   $t->call("c2", { type => "for_pipedrive", ... });      # only that one gets it
#   $t->idle;
#   $t->contacts('pipedrive')                     # [{id, name, phones => [...], emails => [...]}]
#   $t->calls('pipedrive')                        # [{id, contact, call_id, minutes}]
#   $t->tasks(..), $t->meetings(..), $t->stage(.., $deal), $t->notes(..)
package CallsyncDialects;

use strict;
use warnings;

use Encode ();
use JSON::PP ();
use POSIX ();
use Time::Local qw(timegm);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use CallsyncDelivery;
use CallsyncSandbox;

my $JSON = JSON::PP->new->canonical->allow_nonref;

# What is different from one CRM to the next. Records are those of the sandbox, as really stored.
our %DIALECT = (
	hubspot => {
		path => '', secrets => { bearer_token => 'sandbox-token' }, limits => { burst => { rate => 10000, per_s => 1 }, search => { rate => 10000, per_s => 1 } },
		contacts => 'contacts',
		contact => sub { my ($r) = @_; my $p = $r->{properties}; return { name => join(' ', grep { defined } @$p{qw(firstname lastname)}), phones => [ grep { defined } @$p{qw(phone mobilephone)} ], emails => [ grep { defined } $p->{email} ] }; },
		new_contact => sub { my (%c) = @_; my ($first, $last) = split / /, $c{name}, 2; return { firstname => $first, lastname => $last, ($c{phone} ? (phone => $c{phone}) : ()), ($c{email} ? (email => $c{email}) : ()) }; },
		calls => sub { my ($t) = @_; return _hubspot($t, 'calls', 'hs_call_title', 'hs_call_body'); },
		tasks => sub { my ($t) = @_; return _hubspot($t, 'tasks', 'hs_task_subject', 'hs_task_body'); },
		meetings => sub {
			my ($t) = @_;
			my @list = @{ _hubspot($t, 'meetings', 'hs_meeting_title', 'hs_meeting_body') };
			for my $m (@list)
			{
				$m->{start} = _utc($m->{raw}{hs_meeting_start_time});
				$m->{minutes} = (_epoch($m->{raw}{hs_meeting_end_time}) - _epoch($m->{raw}{hs_meeting_start_time})) / 60;
				$m->{cancelled} = $m->{raw}{hs_meeting_outcome} eq 'CANCELED' ? 1 : 0;
			}
			return \@list;
		},
		notes => sub { my ($t) = @_; return [ map { { id => $_->{id}, text => $_->{properties}{hs_note_body} } } @{ $t->records('hubspot', 'notes') } ]; },
		new_deal => sub { return ('deals', { dealname => 'Roof', dealstage => 'qualifiedtobuy', pipeline => 'default' }); },
		new_ticket => sub { return ('tickets', { subject => 'Leak', hs_pipeline => '0', hs_pipeline_stage => '1' }); },
		stage => sub { my ($t, $id) = @_; my ($r) = grep { $_->{id} eq $id } @{ $t->records('hubspot', 'deals') }; return $r->{properties}{dealstage}; },
		stages => { before => 'qualifiedtobuy', after => 'contractsent' },
		owner => '41629780', owners => { ben => '41629780' },
				override => {},
	},
	salesforce => {
		path => '', secrets => { bearer_token => 'sandbox-token' }, limits => {},
		contacts => 'Contact',
		contact => sub { my ($r) = @_; my $p = $r->{properties}; return { name => join(' ', grep { defined } @$p{qw(FirstName LastName)}), phones => [ grep { defined } @$p{qw(Phone MobilePhone)} ], emails => [ grep { defined } $p->{Email} ] }; },
		new_contact => sub { my (%c) = @_; my ($first, $last) = split / /, $c{name}, 2; return { FirstName => $first, LastName => $last, ($c{phone} ? (Phone => $c{phone}) : ()), ($c{email} ? (Email => $c{email}) : ()) }; },
		calls => sub { my ($t) = @_; return [ map { _salesforce($_) } grep { ($_->{properties}{TaskSubtype} // '') eq 'Call' } @{ $t->records('salesforce', 'Task') } ]; },
		tasks => sub { my ($t) = @_; return [ map { _salesforce($_) } grep { ($_->{properties}{TaskSubtype} // '') ne 'Call' && $_->{properties}{Subject} !~ /comment on the case/ } @{ $t->records('salesforce', 'Task') } ]; },
		meetings => sub {
			my ($t) = @_;
			my @list = map { _salesforce($_) } @{ $t->records('salesforce', 'Event') };
			for my $m (@list)
			{
				$m->{start} = _utc($m->{raw}{StartDateTime});
				$m->{minutes} = $m->{raw}{DurationInMinutes} // (_epoch($m->{raw}{EndDateTime}) - _epoch($m->{raw}{StartDateTime})) / 60;
				$m->{cancelled} = $m->{subject} =~ /^Cancelled/ ? 1 : 0;
			}
			return \@list;
		},
		notes => sub { my ($t) = @_; return [ map { { id => $_->{id}, text => $_->{properties}{Description} } } grep { ($_->{properties}{Subject} // '') =~ /comment on the case/ } @{ $t->records('salesforce', 'Task') } ]; },
		new_deal => sub { return ('Opportunity', { Name => 'Roof', StageName => 'Qualification', CloseDate => '2026-12-31' }); },
		new_ticket => sub { return ('Case', { Subject => 'Leak', Status => 'New' }); },
		stage => sub { my ($t, $id) = @_; my ($r) = grep { $_->{id} eq $id } @{ $t->records('salesforce', 'Opportunity') }; return $r->{properties}{StageName}; },
		stages => { before => 'Qualification', after => 'Negotiation/Review' },
		owner_of => sub { my ($t) = @_; my ($r) = grep { $_->{properties}{FirstName} eq 'Ben' } @{ $t->records('salesforce', 'User') }; return $r->{id}; },
		override => {},
	},
	pipedrive => {
		path => '', secrets => { api_key => 'sandbox-token' }, limits => { burst => { rate => 10000, per_s => 1 }, search => { rate => 10000, per_s => 1 } },
		contacts => 'persons',
		contact => sub { my ($r) = @_; my $p = $r->{properties}; return { name => $p->{name}, phones => [ map { $_->{value} } @{ $p->{phones} // [] } ], emails => [ map { $_->{value} } @{ $p->{emails} // [] } ] }; },
		new_contact => sub { my (%c) = @_; return { name => $c{name}, ($c{phone} ? (phones => [ $c{phone} ]) : ()), ($c{email} ? (emails => [ $c{email} ]) : ()) }; },
		mirrored => sub {
			my (%c) = @_;
			return { phones => [ $c{phone} ? { value => $c{phone}, primary => JSON::PP::true, label => 'work' } : () ],
				emails => [ $c{email} ? { value => $c{email}, primary => JSON::PP::true, label => 'work' } : () ] };
		},
		calls => sub { my ($t) = @_; return [ map { _activity($_) } grep { $_->{properties}{type} eq 'call' && $_->{properties}{done} } @{ $t->records('pipedrive', 'activities') } ]; },
		tasks => sub { my ($t) = @_; return [ map { _activity($_) } grep { $_->{properties}{type} ne 'meeting' && !$_->{properties}{done} } @{ $t->records('pipedrive', 'activities') } ]; },
		meetings => sub {
			my ($t) = @_;
			return [ map { +{ %{ _activity($_) }, start => "$_->{properties}{due_date}T$_->{properties}{due_time}Z", minutes => _minutes($_->{properties}{duration}),
				cancelled => $_->{properties}{subject} =~ /^Cancelled/ ? 1 : 0 } } grep { $_->{properties}{type} eq 'meeting' } @{ $t->records('pipedrive', 'activities') } ];
		},
		notes => sub { my ($t) = @_; return [ map { { id => $_->{id}, text => $_->{properties}{content}, contact => $_->{properties}{person_id} } } @{ $t->records('pipedrive', 'notes') } ]; },
		new_deal => sub { return ('deals', { title => 'Roof', stage_id => 1, value => 100 }); },
		stage => sub { my ($t, $id) = @_; my ($r) = grep { $_->{id} eq $id } @{ $t->records('pipedrive', 'deals') }; return $r->{properties}{stage_id}; },
		stages => { before => 1, after => 3 },
		owner => '23002', owners => { ben => 23002 },
		oauth => sub { my ($url) = @_; return { vars => { oauth_url => $url } }; },
		override => {},
	},
	zoho => {
		path => '', secrets => { bearer_token => 'sandbox-token' }, limits => { search => { rate => 10000, per_s => 1 } },
		contacts => 'Contacts',
		contact => sub { my ($r) = @_; my $p = $r->{properties}; return { name => join(' ', grep { defined } @$p{qw(First_Name Last_Name)}), phones => [ grep { defined } @$p{qw(Phone Mobile)} ], emails => [ grep { defined } $p->{Email} ] }; },
		new_contact => sub { my (%c) = @_; my ($first, $last) = split / /, $c{name}, 2; return { First_Name => $first, Last_Name => $last, ($c{phone} ? (Phone => $c{phone}) : ()), ($c{email} ? (Email => $c{email}) : ()) }; },
		calls => sub { my ($t) = @_; return [ map { _zoho_activity($_) } @{ $t->records('zoho', 'Calls') } ]; },
		tasks => sub { my ($t) = @_; return [ map { _zoho_activity($_) } @{ $t->records('zoho', 'Tasks') } ]; },
		meetings => sub {
			my ($t) = @_;
			return [ map { my $p = $_->{properties}; +{ %{ _zoho_activity($_) }, start => _utc($p->{Start_DateTime}), minutes => (_epoch($p->{End_DateTime}) - _epoch($p->{Start_DateTime})) / 60,
				cancelled => $p->{Event_Title} =~ /^Cancelled/ ? 1 : 0 } } @{ $t->records('zoho', 'Events') } ];
		},
		notes => sub { my ($t) = @_; return [ map { { id => $_->{id}, text => $_->{properties}{Note_Content}, parent => $_->{properties}{Parent_Id}{id} } } @{ $t->records('zoho', 'Notes') } ]; },
		new_deal => sub { return ('Deals', { Deal_Name => 'Roof', Stage => 'Qualification', Amount => 100 }); },
		new_ticket => sub { return ('Cases', { Subject => 'Leak', Status => 'New', Case_Origin => 'Phone' }); },
		stage => sub { my ($t, $id) = @_; my ($r) = grep { $_->{id} eq $id } @{ $t->records('zoho', 'Deals') }; return $r->{properties}{Stage}; },
		stages => { before => 'Qualification', after => 'Negotiation/Review' },
		owner => '5725767000000411002', owners => { ben => '5725767000000411002' },
		oauth => sub { my ($url) = @_; return { vars => { accounts_url => $url } }; },
		override => {},
	},
	dynamics => {
		path => '', secrets => { bearer_token => 'sandbox-token' }, limits => { requests => { rate => 100000, per_s => 1 } },
		contacts => 'contacts',
		contact => sub { my ($r) = @_; my $p = $r->{properties}; return { name => join(' ', grep { defined } @$p{qw(firstname lastname)}), phones => [ grep { defined } @$p{qw(telephone1 mobilephone)} ], emails => [ grep { defined } $p->{emailaddress1} ] }; },
		new_contact => sub { my (%c) = @_; my ($first, $last) = split / /, $c{name}, 2; return { firstname => $first, lastname => $last, ($c{phone} ? (telephone1 => $c{phone}) : ()), ($c{email} ? (emailaddress1 => $c{email}) : ()) }; },
		calls => sub { my ($t) = @_; return [ map { _dynamics_activity($_) } @{ $t->records('dynamics', 'phonecalls') } ]; },
		tasks => sub { my ($t) = @_; return [ map { _dynamics_activity($_) } @{ $t->records('dynamics', 'tasks') } ]; },
		meetings => sub {
			my ($t) = @_;
			return [ map { my $p = $_->{properties}; +{ %{ _dynamics_activity($_) }, start => $p->{scheduledstart}, minutes => (_epoch($p->{scheduledend}) - _epoch($p->{scheduledstart})) / 60,
				cancelled => $p->{statecode} == 2 ? 1 : 0 } } @{ $t->records('dynamics', 'appointments') } ];
		},
		notes => sub { my ($t) = @_; return [ map { { id => $_->{id}, text => $_->{properties}{notetext}, parent => ($_->{properties}{objectid} // {})->{id} } } @{ $t->records('dynamics', 'annotations') } ]; },
		new_deal => sub { return ('opportunities', { name => 'Roof', stepname => 'Qualify', estimatedvalue => 100 }); },
		new_ticket => sub { my ($t) = @_; my $who = $t->crm->add_record('contacts', { lastname => 'Ticket' }, dialect => 'dynamics')->{id}; $t->{ticket_contact} = $who; return ('incidents', { title => 'Leak', customerid => { id => $who, logical => 'contact' } }); },
		stage => sub { my ($t, $id) = @_; my ($r) = grep { $_->{id} eq $id } @{ $t->records('dynamics', 'opportunities') }; return $r->{properties}{stepname}; },
		stages => { before => 'Qualify', after => 'Propose' },
		owner => 'a1d9c4ac-1111-4000-8000-000000000002', owners => { ben => '/systemusers(a1d9c4ac-1111-4000-8000-000000000002)' },
		oauth => sub { my ($url) = @_; return { vars => { login_url => $url } }; },
		override => {},
	},
);

sub _dynamics_activity
{
	my ($r) = @_;
	my $p = $r->{properties};
	my $call_id = $p->{callsync_callid} // (($p->{description} // '') =~ /^Call (\S+)$/m ? $1 : undef);
	return { id => $r->{id}, raw => $p, contact => ($p->{regardingobjectid} // {})->{id}, call_id => $call_id, subject => $p->{subject}, text => $p->{description},
		owner => ($p->{ownerid} // {})->{id}, due => $p->{scheduledend}, minutes => $p->{actualdurationminutes}, state => $p->{statecode} };
}
sub _hubspot
{
	my ($t, $object, $title, $body) = @_;
	return [ map {
		my $p = $_->{properties};
		my ($call_id) = ($p->{callsync_key} // '') =~ m{^[^/]+/(.*)/[^/]+$};
		+{ id => $_->{id}, raw => $p, contact => ($_->{links}{contacts} // [])->[0]{id}, call_id => $call_id, subject => $p->{$title}, text => join("\n", grep { defined } $p->{$body}, $p->{callsync_transcript_url}),
			owner => $p->{hubspot_owner_id}, due => $p->{hs_timestamp}, minutes => ($p->{hs_call_duration} // 0) / 60000 }
	} @{ $t->records('hubspot', $object) } ];
}
sub _salesforce
{
	my ($r) = @_;
	my $p = $r->{properties};
	my ($call_id) = ($p->{Callsync_Key__c} // '') =~ m{^[^/]+/(.*)/[^/]+$};
	return { id => $r->{id}, raw => $p, contact => $p->{WhoId}, call_id => $call_id, subject => $p->{Subject}, text => $p->{Description},
		owner => $p->{OwnerId}, due => $p->{ActivityDate}, minutes => ($p->{CallDurationInSeconds} // 0) / 60 };
}
sub _epoch
{
	my ($text) = @_;
	my ($y, $mo, $d, $h, $mi, $s, $zone) = $text =~ /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.\d+)?(Z|[+-]\d\d:?\d\d)$/ or return 0;
	my $off = $zone =~ /^([+-])(\d\d):?(\d\d)/ ? ($1 eq '-' ? -1 : 1) * ($2 * 3600 + $3 * 60) : 0;
	return timegm($s, $mi, $h, $d, $mo - 1, $y) - $off;
}
sub _utc { return POSIX::strftime('%Y-%m-%dT%H:%M:%SZ', gmtime(_epoch($_[0]))); }
sub _zoho_activity
{
	my ($r) = @_;
	my $p = $r->{properties};
	return { id => $r->{id}, raw => $p, contact => ($p->{Who_Id} // {})->{id}, call_id => $p->{Callsync_Call_Id}, subject => $p->{Subject} // $p->{Event_Title}, text => $p->{Description},
		owner => ($p->{Owner} // {})->{id}, due => $p->{Due_Date}, minutes => ($p->{Call_Duration_in_seconds} // 0) / 60, what => ($p->{What_Id} // {})->{id} };
}
sub _minutes { my ($text) = @_; my ($h, $m) = split /:/, $text // '0:0'; return $h * 60 + $m; }
sub _activity
{
	my ($r) = @_;
	my $p = $r->{properties};
	my ($call_id) = ($p->{note} // '') =~ /call (\S+) \[/;
	return { id => $r->{id}, raw => $p, contact => $p->{person_id}, call_id => $call_id, subject => $p->{subject}, text => $p->{note}, owner => $p->{owner_id},
		due => $p->{due_date}, minutes => _minutes($p->{duration}) };
}

# The dialects that have a connector document.
sub all { return sort keys %DIALECT; }

# Options: dialects, options (of every destination), conf, oauth (by refresh token in place of a static one)
sub start
{
	my ($class, $name, %o) = @_;
	plan(skip_all => 'no node >= 18 to run the sandbox CRM') unless CallsyncSandbox::available();
	my @dialects = @{ $o{dialects} // [ all() ] };
	my $crm = CallsyncSandbox->start(dialects => \@dialects);
	my $node = PostgreSQL::Test::Cluster->new($name);
	$node->init;
	my $key = $node->basedir . '/callsync.key';
	append_to_file($key, "0123456789abcdef0123456789abcdef0123456789abcdef\n");
	chmod 0600, $key;
	$node->append_conf('postgresql.conf', "callsync.key_file = '$key'\ncallsync.naptime = '200ms'\nrestart_after_crash = on\nautovacuum_naptime = 1min\n"
		. "shared_preload_libraries = 'callsync'\ncallsync.databases = 'postgres'\n" . ($o{conf} // ''));
	$node->start;
	my $self = bless { node => $node, crm => $crm, dialects => \@dialects, events => 0 }, $class;
	$node->safe_psql('postgres', 'CREATE EXTENSION callsync CASCADE; SELECT callsync.create_source($$front$$, $$generic$$, $${"unsigned": true, "region": "US"}$$)');
	for my $d (@dialects)
	{
		my $k = $DIALECT{$d};
		$crm->config({ dialect => $d, limits => 'off' });
		my $url = $crm->url($d);
		my %override = %{ $k->{override} };
		my %vars = (owners => { ben => $k->{owner_of} ? $k->{owner_of}->($self) : $k->{owners}{ben} });
		my $secrets = $k->{secrets};
		if ($o{oauth})
		{
			my $more = $k->{oauth} ? $k->{oauth}->($url) : {};
			%vars = (%vars, %{ $more->{vars} // {} });
			$override{auth}{oauth} = { refresh_early_s => 0, min_refresh_interval_s => 0 };
			$override{auth}{'order='} = ['oauth'];
			$secrets = { client_id => 'sandbox-client', client_secret => 'sandbox-secret', refresh_token => 'sandbox-refresh' };
			$crm->config({ dialect => $d, tokens => { mode => 'strict' } });
		}
		$override{base}{vars} = \%vars;
		my $options = $JSON->encode({ base_url => $url . $k->{path}, allow_addresses => ['127.0.0.1/32'], region => 'US', retry => $CallsyncDelivery::FAST_RETRY,
			limits => $k->{limits}, override => \%override, %{ $o{options} // {} } });
		$node->safe_psql('postgres', "SELECT callsync.create_destination('$d', '$d', \$j\$$options\$j\$)");
		$node->safe_psql('postgres', "SELECT callsync.set_secret('$d', '$_', '$secrets->{$_}')") for sort keys %$secrets;
	}
	# a call of type for_NAME goes to that destination alone
	for my $d (@dialects)
	{
		$node->safe_psql('postgres', "SELECT callsync.set_route('$_', 'for_$d', '[]')") for grep { $_ ne $d } @dialects;
	}
	ok($node->poll_query_until('postgres', "SELECT callsync.wait_until_running('10s')"), 'workers run');
	# fields that are found by their label have to be known before the first call, and a test that changes fields
	# has to know what was known of them
	ok($node->poll_query_until('postgres', q{SELECT NOT EXISTS (SELECT FROM callsync.destination d JOIN callsync.connector c ON c.name = d.connector,
		jsonb_each(c.document->'steps') s WHERE s.value ? 'map' AND NOT EXISTS (SELECT FROM callsync.schema_state t WHERE t.destination = d.name AND t.object = s.value->>'object'))}),
		'every destination was asked for its fields');
	return $self;
}

sub dialects { return @{ $_[0]->{dialects} }; }
sub kind { my ($self, $d) = @_; return $DIALECT{$d}; }
sub crm { return $_[0]->{crm}; }
sub node { return $_[0]->{node}; }
sub q { my ($self, $sql) = @_; return $self->{node}->safe_psql('postgres', $sql); }

# One event of a call; the document's members are the event's.
sub call
{
	my ($self, $id, $document, $type) = @_;
	my $second = ++$self->{events};
	my %body = (call_id => $id, event_type => $type // 'call.ended', direction => 'inbound',
		timestamp => sprintf('2026-11-20T12:%02d:%02dZ', int($second / 60), $second % 60), %$document);
	my $text = $JSON->encode(\%body);
	my $status = $self->q("SELECT status FROM callsync.ingest('front', convert_to(\$j\$$text\$j\$, 'UTF8'))");
	is($status, 'accepted', "call $id is taken") if $status ne 'accepted';
	return;
}

sub idle
{
	my ($self, $seconds, $name) = @_;
	CallsyncDelivery::idle($self->{node}, $seconds // 60, $name);
	return;
}

sub records { my ($self, $d, $object) = @_; return $self->{crm}->records($object, dialect => $d, limit => 10000); }
sub contacts
{
	my ($self, $d) = @_;
	return [ map { +{ id => $_->{id}, %{ $DIALECT{$d}{contact}->($_) } } } grep { $_->{id} ne ($self->{ticket_contact} // '') } @{ $self->records($d, $DIALECT{$d}{contacts}) } ];
}
sub calls { my ($self, $d) = @_; return $DIALECT{$d}{calls}->($self); }
sub tasks { my ($self, $d) = @_; return $DIALECT{$d}{tasks}->($self); }
sub meetings { my ($self, $d) = @_; return $DIALECT{$d}{meetings}->($self); }
sub notes { my ($self, $d) = @_; return $DIALECT{$d}{notes}->($self); }
sub stage { my ($self, $d, $deal) = @_; return $DIALECT{$d}{stage}->($self, $deal); }

# A person edits in the CRM: a contact that callsync did not make, which the mirror knows.
sub add_contact
{
	my ($self, $d, %c) = @_;
	my $r = $self->{crm}->add_record($DIALECT{$d}{contacts}, $DIALECT{$d}{new_contact}->(%c), dialect => $d);
	my ($first, $last) = split / /, $c{name}, 2;
	my %row = (destination => $d, contact_id => $r->{id}, first_name => $first, last_name => $last, phone => $c{phone}, email => $c{email},
		fields => $JSON->encode($DIALECT{$d}{mirrored} ? $DIALECT{$d}{mirrored}->(%c) : {}));
	my @names = sort grep { defined $row{$_} } keys %row;
	$self->q(sprintf('INSERT INTO callsync.contact (%s) VALUES (%s)', join(', ', @names), join(', ', map { "'" . ($row{$_} =~ s/'/''/gr) . "'" } @names)));
	return $r->{id};
}
sub add_deal
{
	my ($self, $d) = @_;
	my ($object, $props) = $DIALECT{$d}{new_deal}->($self);
	return $self->{crm}->add_record($object, $props, dialect => $d)->{id};
}

sub add_ticket
{
	my ($self, $d) = @_;
	my $make = $DIALECT{$d}{new_ticket} or return 'T-7';
	my ($object, $props) = $make->($self);
	return $self->{crm}->add_record($object, $props, dialect => $d)->{id};
}

# The id of the user whom the calls know as "ben".
sub owner { my ($self, $d) = @_; my $k = $DIALECT{$d}; return $k->{owner_of} ? $k->{owner_of}->($self) : $k->{owner}; }

# The record that a step of a call became.
sub record_id
{
	my ($self, $d, $call_id, $step) = @_;
	return $self->q("SELECT record_id FROM callsync.deliveries WHERE destination = '$d' AND call_id = '$call_id' AND step = '$step' ORDER BY id DESC LIMIT 1");
}
sub status { my ($self, $d, $call_id) = @_; return $self->q("SELECT status FROM callsync.call_sync WHERE destination = '$d' AND call_id = '$call_id'"); }

1;
