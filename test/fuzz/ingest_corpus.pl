#!/usr/bin/perl
# ingest_corpus.pl
# Writes the committed corpus of the ingest fuzzer: each platform's webhook, signed with the secret
# and at the time that ingest_fuzz.c verifies with, and bodies that are none. No samples needed.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../t/lib";
use CallsyncHooks;

my $secret = 'whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=';
my $time = 1795197800;
my $dir = "$FindBin::Bin/corpus/ingest";

my $generic = '{"event_type":"call_completed","timestamp":"2026-06-11T15:42:00Z","event_id":"e1","call_id":"c1","direction":"inbound",'
	. '"caller":{"phone":"+15551234567","name":"J\u00f6rg","email":"a@example.com"},"duration_s":61.5,"answers":{"Size?":"10"},"summary":"Quote.",'
	. '"fields":{"model":{"year":2021},"tags":["a",null,true]},"follow_up_task":{"action":"call back","due_date":"2026-06-12","priority":"high"},"auth":{"type":"Bearer","token":"abc"}}';
my %body = (
	retell => '{"event":"call_analyzed","call":{"call_id":"call_1","direction":"inbound","from_number":"+14155550123","to_number":"+14155550199","start_timestamp":1795197605120,"end_timestamp":1795197782480,"duration_ms":177360,'
		. '"transcript":"Agent: Hi","disconnection_reason":"user_hangup","recording_url":"https://example.invalid/r","call_analysis":{"call_summary":"Quote.","user_sentiment":"Positive","call_successful":true,"custom_analysis_data":{"email":"a@example.com"}},"retell_llm_dynamic_variables":{"name":"Ada"}}}',
	elevenlabs => '{"type":"post_call_transcription","event_timestamp":1795197790,"data":{"conversation_id":"conv_1","status":"done","transcript":[{"role":"agent","message":"Hi","time_in_call_secs":0},{"role":"user","message":"Bye"}],'
		. '"metadata":{"start_time_unix_secs":1795197605,"call_duration_secs":177,"termination_reason":"user","phone_call":{"direction":"inbound","external_number":"+14155550123","agent_number":"+14155550199"}},'
		. '"analysis":{"call_successful":"success","transcript_summary":"Quote.","data_collection_results":{"email":{"value":"a@example.com"}}}}}',
	bland => '{"call_id":"c1","from":"+14155550123","to":"+14155550199","inbound":true,"call_length":2.95,"started_at":"2026-11-20T18:00:05Z","end_at":"2026-11-20T18:03:02Z","status":"completed","completed":true,'
		. '"concatenated_transcript":"assistant: Hi","summary":"Quote.","call_ended_by":"USER","variables":{"email":"a@example.com"},"recording_url":null}',
	synthflow => '{"status":"completed","call":{"call_id":"s1","status":"completed","end_call_reason":"agent_goodbye","transcript":"bot: Hi","recording_url":"https://example.invalid/r","start_time":1795197605120,"duration":177},'
		. '"lead":{"name":"Ada","phone_number":"+14155550123","prompt_variables":[{"key":"zip","value":"94105"}]},"executed_actions":{"x":{"return_value":{"a":"b"}}}}',
	vapi => '{"message":{"type":"end-of-call-report","timestamp":1795197785000,"endedReason":"customer-ended-call","durationSeconds":177.36,"startedAt":"2026-11-20T18:00:05.120Z","endedAt":"2026-11-20T18:03:02.480Z",'
		. '"call":{"id":"v1","type":"inboundPhoneCall"},"customer":{"number":"+14155550123"},"phoneNumber":{"number":"+14155550199"},"artifact":{"transcript":"AI: Hi","recording":{"mono":{"combinedUrl":"https://example.invalid/r"}}},'
		. '"analysis":{"summary":"Quote.","successEvaluation":"true","structuredData":{"email":"a@example.com"}}}}',
	twilio => 'CallSid=CA1&CallStatus=completed&Direction=inbound&From=%2B14155550123&To=%2B14155550199&CallDuration=177&Timestamp=Fri%2C+20+Nov+2026+18%3A03%3A02+%2B0000&CallerName=J%C3%B6rg&Digits=1&Digits=2',
	'twilio json' => '{"CallSid":"CA1","CallStatus":"completed","From":"+14155550123","Timestamp":"Fri, 20 Nov 2026 18:03:02 +0000"}',
	generic => $generic, 'hubspot v3' => $generic, standard_webhooks => $generic);

sub seed
{
	my ($name, $kind, $url, $headers, $body) = @_;
	open(my $f, '>:raw', "$dir/$name") or die "$dir/$name: $!";
	print $f "$kind ", $url // '-', "\n", (map { "$_:$headers->{$_}\n" } sort keys %$headers), "\n", $body;
	close($f) or die $!;
}

mkdir $dir;
for my $how (CallsyncHooks::kinds())
{
	(my $kind = $how) =~ s/ .*//;
	$kind = 'generic' if $how eq 'hubspot v3';
	my $body = $body{$how} // $body{$kind};
	my ($headers, $url) = CallsyncHooks::sign($how, $body, $secret, $time);
	(my $name = $how) =~ tr/ /-/;
	seed($name, $kind, $how =~ /twilio|hubspot/ ? $url : undef, $headers, $body);
}
seed('timed', 'generic', undef, { 'X-Signature' => "t=$time, v1=" . Digest::SHA::hmac_sha256_hex("$time.$generic", $secret) }, $generic);
seed('basic', 'generic', undef, { Authorization => 'Basic dXNlci1uYW1lOjQxNTU1NTAxMjM=' }, $generic);
seed('api-key', 'generic', undef, { 'X-Api-Key' => $secret }, $generic);
seed('several', 'standard_webhooks', undef, { 'webhook-id' => 'm', 'webhook-timestamp' => $time, 'webhook-signature' => 'v1,AAAA v1a,BBBB v1,CCCC' }, $generic);
my $n = 0;
seed('bad-' . $n++, 'generic', undef, { 'Content-Type' => 'application/json' }, $_)
	for '', '{', '[1]', '{"call_id":"a","call_id":"b"}', '{"call_id":"a\u0000"}', '{"call_id":"a","n":1e999}', '{"call_id":12345678901234567890123}', "{\"call_id\":\"\xff\"}",
	'{"call_id":"a","deep":' . ('[' x 99) . (']' x 99) . '}', '{"event":{"call":{"call_id":"x"},"type":"speech"},"call_id":{"a":1}}', '{"call_id":"a","note":"{\"token\":\"' . $secret . '\"}"}',
	'{"call_id":"' . $secret . '","caller":null}', '{"call_id":"a","duration_s":4155550123,"x":[4155550123.5]}';
