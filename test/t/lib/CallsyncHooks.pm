# Webhooks as the platforms send them, signed here and now, independently of the code under test.
#
#   my ($headers, $url) = CallsyncHooks::sign('retell', $body, $secret, $unix_time);
#   CallsyncHooks::ingest($node, 'source', $body, $headers, $url)   -> [status, event_id, call_id, reason]
package CallsyncHooks;

use strict;
use warnings;

use Cwd qw(abs_path);
use Digest::SHA qw(hmac_sha256 hmac_sha256_hex hmac_sha1 sha256_hex);
use File::Basename qw(dirname);
use JSON::PP ();
use MIME::Base64 qw(encode_base64 decode_base64);

my $JSON = JSON::PP->new->canonical->utf8;
my $payloads = dirname(__FILE__) . '/../../../../shared/payloads';

our $url = 'https://ingest.example.invalid/hooks/x?tenant=1';

# A sample body of the platform, or undef where the samples are not there.
sub payload
{
	my ($file) = @_;
	open(my $fh, '<:raw', "$payloads/$file") or return undef;
	local $/;
	return <$fh>;
}

sub b64 { return encode_base64($_[0], ''); }

# The parameters of a form, decoded, names sorted, each name and value run together; several values
# of a name sorted, each once.
sub form_text
{
	my ($body) = @_;
	my %p;
	for my $pair (split /&/, $body)
	{
		my ($name, $value) = map { (my $t = $_ // '') =~ tr/+/ /; $t =~ s/%([0-9A-Fa-f]{2})/chr hex $1/ge; $t } split /=/, $pair, 2;
		$p{$name}{$value} = 1;
	}
	return join('', map { my $name = $_; map { $name . $_ } sort keys %{ $p{$name} } } sort keys %p);
}

my %sign = (
	retell => sub { my ($b, $s, $t) = @_; my $ms = $t * 1000; return { 'X-Retell-Signature' => "v=$ms,d=" . hmac_sha256_hex($b . $ms, $s) }; },
	elevenlabs => sub { my ($b, $s, $t) = @_; return { 'ElevenLabs-Signature' => "t=$t,v0=" . hmac_sha256_hex("$t.$b", $s) }; },
	bland => sub { my ($b, $s) = @_; return { 'X-Webhook-Signature' => hmac_sha256_hex($b, $s) }; },
	synthflow => sub { my ($b, $s) = @_; return { 'HTTP_SYNTHFLOW_SIGNATURE' => b64(hmac_sha256($JSON->decode($b)->{call}{call_id}, $s)) }; },
	vapi => sub { my ($b, $s) = @_; return { 'X-Vapi-Secret' => $s }; },
	'vapi bearer' => sub { my ($b, $s) = @_; return { 'Authorization' => "Bearer $s" }; },
	'vapi hmac' => sub { my ($b, $s) = @_; return { 'X-Vapi-Signature' => hmac_sha256_hex($b, $s) }; },
	twilio => sub {
		my ($b, $s, $t, $u) = @_;
		return { 'X-Twilio-Signature' => b64(hmac_sha1($u . form_text($b), $s)), 'Content-Type' => 'application/x-www-form-urlencoded' };
	},
	'twilio json' => sub { my ($b, $s, $t, $u) = @_; return { 'X-Twilio-Signature' => b64(hmac_sha1($u, $s)), 'Content-Type' => 'application/json' }; },
	standard_webhooks => sub {
		my ($b, $s, $t) = @_;
		my $id = 'msg_' . sha256_hex($b);
		(my $key = $s) =~ s/^whsec_//;
		return { 'webhook-id' => $id, 'webhook-timestamp' => "$t", 'webhook-signature' => 'v1,' . b64(hmac_sha256("$id.$t.$b", decode_base64($key))) };
	},
	generic => sub { my ($b, $s) = @_; return { 'X-Signature' => 'sha256=' . hmac_sha256_hex($b, $s) }; },
	'hubspot v3' => sub {
		my ($b, $s, $t, $u) = @_;
		my $ms = $t * 1000;
		return { 'X-HubSpot-Signature-v3' => b64(hmac_sha256("POST$u$b$ms", $s)), 'X-HubSpot-Request-Timestamp' => "$ms" };
	},
);

sub kinds { return sort keys %sign; }

# Headers and URL of a webhook with this body, sent at $time.
sub sign
{
	my ($how, $body, $secret, $time) = @_;
	my $u = $how eq 'twilio json' ? "$url&bodySHA256=" . sha256_hex($body) : $url;
	return ($sign{$how}->($body, $secret, $time, $u), $u);
}

sub literal { my ($t) = @_; $t =~ s/'/''/g; return "'$t'"; }

sub bytes { return "'\\x" . unpack('H*', $_[0]) . "'"; }

# The call of ingest() as SQL.
sub call
{
	my ($source, $body, $headers, $u) = @_;
	return sprintf('callsync.ingest(%s, %s, %s, %s)', literal($source), bytes($body), literal($JSON->encode($headers // {})), defined $u ? literal($u) : 'NULL');
}

sub ingest
{
	my ($node, @args) = @_;
	return [ split /\|/, $node->safe_psql('postgres', 'SELECT status, event_id, call_id, reason FROM ' . call(@args)), -1 ];
}

1;
