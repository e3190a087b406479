# A small HTTP server that breaks the wire on purpose: what happens below HTTP.
# (What CRMs answer is the sandbox's business.) One process per connection.
#
#   my $server = RawServer->start; $server->port; $server->seen('/path'); $server->stop;
package RawServer;

use strict;
use warnings;

use Compress::Zlib ();
use File::Temp ();
use IO::Socket::INET;
use POSIX ();
use Socket qw(SOL_SOCKET SO_LINGER);

sub start
{
	my ($class) = @_;
	my $socket = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 64, ReuseAddr => 1)
		or die "listen: $!";
	my $log = File::Temp->new(TEMPLATE => 'rawserver-XXXXXX', TMPDIR => 1);
	my $self = bless { port => $socket->sockport, log => $log, owner => $$ }, $class;
	my $pid = fork() // die "fork: $!";
	if ($pid == 0)
	{
		setpgrp(0, 0);
		$SIG{CHLD} = 'IGNORE';
		$SIG{PIPE} = 'IGNORE';
		while (my $connection = $socket->accept)
		{
			next if fork();
			close $socket;
			serve($connection, "$log");
			POSIX::_exit(0);
		}
		POSIX::_exit(0);
	}
	$self->{pid} = $pid;
	return $self;
}

sub port { return $_[0]->{port}; }
sub url { my ($self, $path) = @_; return "http://127.0.0.1:$self->{port}" . ($path // ''); }

# How many requests for this path have arrived?
sub seen
{
	my ($self, $path) = @_;
	open(my $fh, '<', "$self->{log}") or die $!;
	my @lines = grep { (split ' ')[1] eq $path } <$fh>;
	return scalar @lines;
}

sub stop
{
	my ($self) = @_;
	return unless $self->{pid} && $self->{owner} == $$;
	kill 'KILL', -$self->{pid};
	waitpid($self->{pid}, 0);
	delete $self->{pid};
	return;
}
sub DESTROY { $_[0]->stop; return; }

sub serve
{
	my ($c, $log) = @_;
	my $n = 0;
	my $pending = '';
	binmode $c;
	while (1)
	{
		while ($pending !~ /\r\n\r\n/)
		{
			sysread($c, $pending, 65536, length $pending) or return;
		}
		my ($head, $rest) = split /\r\n\r\n/, $pending, 2;
		my $length = $head =~ /^content-length:\s*(\d+)/im ? $1 : 0;
		while (length $rest < $length)
		{
			sysread($c, $rest, 65536, length $rest) or return;
		}
		my $body = substr($rest, 0, $length);
		$pending = substr($rest, $length);
		$n++;
		my ($method, $target) = split ' ', $head;
		my ($path, $query) = split /\?/, $target;
		open(my $fh, '>>', $log) or die $!;
		syswrite($fh, "$method $path $n\n");
		close $fh;
		answer($c, $path, $query // '', $n, "$head\r\n\r\n$body") or return;
	}
}

sub ok
{
	my ($c, $body, @headers) = @_;
	return syswrite($c, join("\r\n", 'HTTP/1.1 200 OK', 'Content-Length: ' . length($body), @headers, '', $body));
}

# False: close the connection.
sub answer
{
	my ($c, $path, $query, $n, $request) = @_;
	if ($path eq '/hang') { sysread($c, my $nothing, 1); return 0; }
	if ($path eq '/drop') { return 0; }
	if ($path eq '/second-drops') { return $n > 1 ? 0 : ok($c, "first $n"); }
	if ($path eq '/reset')
	{
		setsockopt($c, SOL_SOCKET, SO_LINGER, pack('ii', 1, 0));
		return 0;
	}
	if ($path eq '/truncated') { syswrite($c, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n0123456789"); return 0; }
	if ($path eq '/chunk-cut')
	{
		syswrite($c, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n9\r\nabc");
		return 0;
	}
	if ($path eq '/big') { return ok($c, 'x' x $query); }
	if ($path eq '/endless')
	{
		syswrite($c, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
		while (syswrite($c, "400\r\n" . ('y' x 1024) . "\r\n")) { }
		return 0;
	}
	if ($path eq '/bighead') { return ok($c, 'z', map { "X-$_: " . ('h' x 1000) } 1 .. 90); }
	if ($path eq '/bomb') { return ok($c, Compress::Zlib::memGzip("0" x 20_000_000), 'Content-Encoding: gzip'); }
	if ($path eq '/badgzip') { return ok($c, 'this is no gzip', 'Content-Encoding: gzip'); }
	if ($path eq '/gzip') { return ok($c, Compress::Zlib::memGzip("packed"), 'Content-Encoding: gzip'); }
	if ($path eq '/garbage') { syswrite($c, "SSH-2.0-OpenSSH_9.2\r\n"); return 0; }
	if ($path eq '/redirect')
	{
		return syswrite($c, "HTTP/1.1 302 Found\r\nLocation: /ok\r\nContent-Length: 0\r\n\r\n");
	}
	if ($path eq '/continue')
	{
		return syswrite($c, "HTTP/1.1 100 Continue\r\nX-Test: no\r\n\r\nHTTP/1.1 201 Created\r\nX-Test: one\r\nx-test:  two \r\nContent-Length: 2\r\n\r\nhi");
	}
	if ($path eq '/nobody') { return syswrite($c, "HTTP/1.1 204 No Content\r\n\r\n"); }
	if ($path eq '/echo') { return ok($c, $request); }
	if ($path eq '/close') { ok($c, 'bye', 'Connection: close'); return 0; }
	return ok($c, "ok $n");
}

1;
