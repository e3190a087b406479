# The sandbox CRM for TAP tests: starts it, stops it, talks to its control API.
#
#   my $sb = CallsyncSandbox->start(dialects => ['hubspot']);
#   $sb->url;                                    # base URL of the first dialect
#   $sb->fault({ action => 'status', status => 500, match => { path => '/batch/' }, count => 2 });
#   $sb->wait_requests(count => 3, path => '/crm/');
#   is(scalar @{ $sb->records('contacts') }, 1);
#   $sb->stop;
#
# With CALLSYNC_REQUEST_DUMP=DIR in the environment the request log of each sandbox is written there
# when it is stopped (test/sdk judges the bodies by the vendors' types).
#
# Core modules only. Every method that talks to the control API dies with its error message.
# The process dies with the test: it watches a pipe that only the test holds open.
package CallsyncSandbox;

use strict;
use warnings;

use Carp qw(croak);
use Cwd qw(abs_path);
use File::Basename qw(basename dirname);
use File::Temp ();
use HTTP::Tiny;
use JSON::PP ();
use POSIX ();
use Time::HiRes qw(sleep);

my $SCRIPT = abs_path(dirname(__FILE__) . '/../../sandbox/sandbox.js');
my $JSON = JSON::PP->new->utf8->canonical->allow_nonref;

# Is there a node that can run it? Tests that need the sandbox skip without.
sub available
{
	my $version = `node --version 2>/dev/null` // '';
	return $version =~ /^v(\d+)/ && $1 >= 18;
}

# Options: dialects => [names], tls => 1, journal => 1 (records survive restart), seed => n,
# log_bodies => 0, dir => folder for ports, certificate, journal and its own output.
sub start
{
	my ($class, %opt) = @_;
	my $self = bless {
		dialects => $opt{dialects} // ['hubspot'], seed => $opt{seed} // 1,
		tls => $opt{tls}, journal => $opt{journal}, log_bodies => $opt{log_bodies} // 1,
		http => HTTP::Tiny->new(timeout => 120, max_size => 1 << 30), owner => $$,
	}, $class;
	if ($opt{dir}) { $self->{dir} = $opt{dir}; }
	else { $self->{tmp} = File::Temp->newdir('callsync-sandbox-XXXXXX', TMPDIR => 1); $self->{dir} = "$self->{tmp}"; }
	$self->_spawn;
	return $self;
}

sub _spawn
{
	my ($self) = @_;
	my $dir = $self->{dir};
	my $port_file = "$dir/ports.json";
	unlink $port_file;
	# A restart keeps its ports, so that destinations need no change.
	my $was = $self->{ports};
	my @dialects = map {
		my $d = $was && $was->{dialects}{$_};
		$d ? join(':', $_, $d->{port}, $d->{tls_port} // 0) : $_
	} @{ $self->{dialects} };
	my @cmd = ('node', $SCRIPT, '--dialect', join(',', @dialects), '--port', $was ? $was->{control} : 0,
		'--port-file', $port_file, '--seed', $self->{seed}, '--exit-with-stdin');
	push @cmd, '--tls', "$dir/tls" if $self->{tls};
	push @cmd, '--journal', "$dir/journal.jsonl" if $self->{journal};
	push @cmd, '--no-log-bodies' unless $self->{log_bodies};

	pipe(my $read, my $write) or croak "pipe: $!";
	my $pid = fork() // croak "fork: $!";
	if (!$pid)
	{
		close $write;
		open(STDIN, '<&', $read) or POSIX::_exit(126);
		open(STDOUT, '>>', "$dir/output.log");
		open(STDERR, '>>', "$dir/output.log");
		exec(@cmd) or do { print STDERR "cannot run node: $!\n"; POSIX::_exit(127); };
	}
	close $read;
	@$self{qw(pid stdin)} = ($pid, $write);
	for (1 .. 1500)
	{
		last if -e $port_file;
		if (waitpid($pid, 1) == $pid)    # WNOHANG
		{
			delete $self->{pid};
			croak "the sandbox did not start: " . $self->output;
		}
		sleep 0.02;
	}
	croak "the sandbox did not start within 30 s: " . $self->output unless -e $port_file;
	open(my $fh, '<', $port_file) or croak "$port_file: $!";
	local $/;
	$self->{ports} = $JSON->decode(<$fh>);
	return;
}

sub pid { return $_[0]->{pid}; }
sub dir { return $_[0]->{dir}; }
sub port { my ($self, $d) = @_; return $self->{ports}{dialects}{ $d // $self->{dialects}[0] }{port}; }
sub tls_port { my ($self, $d) = @_; return $self->{ports}{dialects}{ $d // $self->{dialects}[0] }{tls_port}; }
sub url { my ($self, $d) = @_; return 'http://127.0.0.1:' . $self->port($d); }
sub tls_url { my ($self, $d) = @_; return 'https://127.0.0.1:' . $self->tls_port($d); }
sub ca_file { return "$_[0]->{dir}/tls/cert.pem"; }
sub control_url { return "http://127.0.0.1:$_[0]->{ports}{control}/_control"; }
sub output
{
	my ($self) = @_;
	open(my $fh, '<', "$self->{dir}/output.log") or return '';
	local $/;
	return <$fh> // '';
}

# One call of the control API: method, path below /_control, query hash, body.
sub control
{
	my ($self, $method, $path, $query, $body) = @_;
	my %q = %{ $query // {} };
	my $url = $self->control_url . $path;
	$url .= '?' . $self->{http}->www_form_urlencode(\%q) if %q;
	my %args;
	%args = (content => $JSON->encode($body), headers => { 'Content-Type' => 'application/json' }) if defined $body;
	my $r = $self->{http}->request($method, $url, \%args);
	my $out = eval { $JSON->decode($r->{content}) };
	croak "sandbox $method $path: " . (ref $out eq 'HASH' && $out->{error} || "$r->{status} $r->{content}") unless $r->{success};
	return $out;
}
sub _dialect { my ($self, $opt) = @_; return { dialect => $self->{dialects}[0], %{ $opt // {} } }; }

# Looking.
sub ping { return $_[0]->control('GET', '/ping'); }
sub records { my ($self, $object, %o) = @_; return $self->control('GET', '/records', $self->_dialect({ object => $object, %o })); }
sub counts { my ($self, %o) = @_; return $self->control('GET', '/counts', $self->_dialect(\%o)); }
sub count { my ($self, $object, %o) = @_; return $self->counts(%o)->{$object} // 0; }
sub duplicates { my ($self, $object, $property, %o) = @_; return $self->control('GET', '/duplicates', $self->_dialect({ object => $object, property => $property, %o })); }
sub links { my ($self, %o) = @_; return $self->control('GET', '/links', $self->_dialect(\%o)); }
sub requests { my ($self, %o) = @_; return $self->control('GET', '/requests', \%o); }
# Requests that carry or look up something of a call. A destination is asked for its fields (GET) beside them,
# at times that a test about calls does not know.
sub call_requests { my ($self, %o) = @_; return [ grep { $_->{method} ne 'GET' } @{ $self->requests(limit => 100000, %o) } ]; }
sub clear_requests { return $_[0]->control('DELETE', '/requests'); }

# Waiting; die when the time is over (timeout_ms, default 30 s).
sub wait_requests
{
	my ($self, %o) = @_;
	my $r = $self->control('GET', '/wait', { timeout_ms => 30000, %o });
	croak "waited for " . ($o{count} // 1) . " requests, saw $r->{count}" unless $r->{ok};
	return $r->{count};
}
sub wait_records
{
	my ($self, $object, $count, %o) = @_;
	my $r = $self->control('GET', '/wait_records', $self->_dialect({ object => $object, count => $count, timeout_ms => 30000, %o }));
	croak "waited for $count $object, saw $r->{count}" unless $r->{ok};
	return $r->{count};
}

# Causing trouble and changing the world.
sub fault { my ($self, $rule) = @_; return $self->control('POST', '/faults', {}, ref $rule eq 'ARRAY' ? $rule : $self->_dialect($rule)); }
sub faults { return $_[0]->control('GET', '/faults'); }
sub clear_faults { return $_[0]->control('DELETE', '/faults'); }
sub config { my ($self, $change) = @_; return $change ? $self->control('POST', '/config', {}, $self->_dialect($change)) : $self->control('GET', '/config', $self->_dialect); }
sub schema { my ($self, $change) = @_; return $change ? $self->control('POST', '/schema', {}, $self->_dialect($change)) : $self->control('GET', '/schema', $self->_dialect); }
sub schema_of { my ($self, $d) = @_; return $self->control('GET', '/schema', { dialect => $d }); }
sub tokens { my ($self, $change) = @_; return $change ? $self->control('POST', '/tokens', {}, $self->_dialect($change)) : $self->control('GET', '/tokens', $self->_dialect); }
sub limits { my ($self, %o) = @_; return $self->control('GET', '/limits', $self->_dialect(\%o)); }
sub clock { my ($self, $change) = @_; return $self->control('POST', '/clock', {}, $change // {}); }
sub down { my ($self, %o) = @_; return $self->control('POST', '/down', {}, $self->_dialect(\%o)); }
sub up { my ($self, %o) = @_; return $self->control('POST', '/up', {}, $self->_dialect(\%o)); }
sub flush_index { my ($self, %o) = @_; return $self->control('POST', '/flush_index', $self->_dialect(\%o)); }
sub reset { my ($self, %o) = @_; return $self->control('POST', '/reset', {}, \%o); }
sub add_record { my ($self, $object, $properties, %o) = @_; return $self->control('POST', '/records', {}, $self->_dialect({ object => $object, records => [{ properties => $properties }], %o }))->[0]; }
sub add_records { my ($self, $object, $list, %o) = @_; return $self->control('POST', '/records', {}, $self->_dialect({ object => $object, records => [ map { { properties => $_ } } @$list ], %o })); }
sub edit_record { my ($self, $object, $id, $properties, %o) = @_; return $self->control('PATCH', '/records', {}, $self->_dialect({ object => $object, id => "$id", properties => $properties, %o })); }
sub delete_record { my ($self, $object, $id, %o) = @_; return $self->control('DELETE', '/records', $self->_dialect({ object => $object, id => $id, %o })); }

# Ending. kill9 is the crash; restart comes back on the same ports (with its records if journal is on).
sub _reap
{
	my ($self, $signal) = @_;
	my $pid = delete $self->{pid} or return;
	kill $signal, $pid;
	close $self->{stdin} if $self->{stdin};
	local $?;
	waitpid($pid, 0);
	return;
}
sub stop
{
	my ($self) = @_;
	$self->_dump_requests if $self->{pid} && $ENV{CALLSYNC_REQUEST_DUMP};
	return $self->_reap('TERM');
}
sub _dump_requests
{
	my ($self) = @_;
	my $r = $self->{http}->get($self->control_url . '/requests');
	return unless $r->{success};
	my $file = sprintf '%s/%s-%d-%d.json', $ENV{CALLSYNC_REQUEST_DUMP}, basename($0, '.pl'), $$, $self->{pid};
	if (open my $fh, '>', $file) { print $fh $r->{content}; close $fh; }
	else { warn "$file: $!\n"; }
	return;
}
sub kill9 { return $_[0]->_reap('KILL'); }
sub restart { my ($self) = @_; $self->_reap('TERM'); $self->_spawn; return $self; }
sub DESTROY { my ($self) = @_; $self->stop if $self->{owner} == $$; return; }

1;
