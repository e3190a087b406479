/*
 * signature.h
 *		Is a webhook from who it says it is? Signature schemes as parameters.
 *
 * A scheme is a JSON object; no platform is known here:
 *
 *	kind		hmac (default), token (the secret itself in a header), basic
 *				(user name and password)
 *	headers		names of the header that carries it, tried in order
 *	separator	the header is a list of items, separated by this character
 *	prefix		text or list: an item that starts so is a signature ("v1,", "d=",
 *				"sha256="); without it every item is one
 *	encoding	hex, base64, or auto (told apart by length); default hex
 *	algorithm	sha256 (default), sha1, sha512
 *	signed		what is signed: text with {body} {timestamp} {method} {url}
 *				{header:NAME} {json:/pointer} {form} (parameters sorted, name and value
 *				run together); default {body}
 *	timestamp	{header, prefix, unit}: where the time of sending stands; without
 *				header in an item of the signature header; unit s (default) or ms
 *	tolerance_s how far it may lie in the past or the future; default 300
 *	secret		{keys, prefix, encoding}: which secrets of the source may have made it
 *				(default signing_secret, signing_secret_next); prefix is cut off;
 *				encoding base64 or hex: the key is what it decodes to; default text
 *	body_digest {query, algorithm}: the URL has a parameter with the digest of the body in hex
 *	url_forms	spellings of {url} that are tried: received (default), with_port,
 *				without_port, decoded (%xx read, as some senders sign it)
 *	method		of the request that is signed; default POST
 */
#ifndef CALLSYNC_CORE_SIGNATURE_H
#define CALLSYNC_CORE_SIGNATURE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/docerror.h"

/* One secret of the source. */
typedef struct CallsyncSecretValue
{
	const char *key;			/* signing_secret, ... */
	const char *value;
	size_t		len;
} CallsyncSecretValue;

/* The request as it came in. */
typedef struct CallsyncSigned
{
	const char *body;
	size_t		body_len;
	const json_t *headers;		/* core/header_set.h */
	const char *url;			/* NULL: not known */
	int64_t		now_us;
} CallsyncSigned;

/* Ordered: of several schemes that fail, the highest tells the most. */
typedef enum CallsyncVerdict
{
	CALLSYNC_SIGNATURE_NO_SECRET,	/* the source has no secret this scheme could use */
	CALLSYNC_SIGNATURE_MISSING, /* no such header */
	CALLSYNC_SIGNATURE_NO_URL,	/* the URL is signed, and was not given */
	CALLSYNC_SIGNATURE_MALFORMED,	/* the header, the time or what is signed cannot be read */
	CALLSYNC_SIGNATURE_WRONG,
	CALLSYNC_SIGNATURE_BODY_DIGEST, /* the URL is signed, the body is another one */
	CALLSYNC_SIGNATURE_TOO_OLD,
	CALLSYNC_SIGNATURE_TOO_NEW,
	CALLSYNC_SIGNATURE_OK
} CallsyncVerdict;

/* Text of event.reason for a verdict that is not OK. */
extern const char *callsync_signature_verdict_text(CallsyncVerdict verdict);

/* Is "scheme" usable? Called when a preset or a source's option is read. */
extern bool callsync_signature_check_scheme(const json_t *scheme, const char *path, CallsyncDocError *err);

/*
 * Verifies by any of the schemes (array). tolerance_s: of the source, -1 = as the
 * scheme says. Times that do not depend on the content of secrets.
 */
extern CallsyncVerdict callsync_signature_verify(const json_t *schemes, const CallsyncSigned *request,
												 const CallsyncSecretValue *secrets, int nsecrets,
												 int64_t tolerance_s);

/* What a scheme does not protect against, for the check of a source. */
extern bool callsync_signature_covers_body(const json_t *scheme);
extern bool callsync_signature_has_timestamp(const json_t *scheme);

/* May a secret of this key have made a signature of the scheme? */
extern bool callsync_signature_key_allowed(const json_t *scheme, const char *key);
/* Can one of the schemes use a secret of this key? */
extern bool callsync_signature_uses_key(const json_t *schemes, const char *key);

#endif
