/*
 * caller_id.c
 *		What a caller id field really holds (see caller_id.h).
 *
 * The text is peeled from outside to inside: header name, display name and angle
 * brackets, URI scheme and parameters; what is left is a word or a number
 * (caller_number.c). A word for privacy anywhere on the way wins over a number that came
 * along with it; words like "unknown" do not, because networks send them as the name of
 * a caller whose number is perfectly good.
 */
#include <string.h>

#include "core/caller_text.h"
#include "core/caller_words.h"
#include "core/phone_internal.h"

static bool read_part(Text t, int region, CallsyncCallerId *out);

static bool
withheld(CallsyncCallerId *out, Text word)
{
	return callsync_caller_settle(out, CALLSYNC_CALLER_WITHHELD, "says \"%.*s\"", word);
}

/* Replaces %XX, as URIs write characters. Returns the length in buf (of MAX_FIELD). */
static size_t
percent_decode(Text t, char *buf)
{
	size_t		n = 0;

	for (size_t i = 0; i < t.n; i++)
	{
		int			hex[2] = {-1, -1};

		for (int k = 0; k < 2 && t.s[i] == '%' && i + 2 < t.n; k++)
		{
			char		c = t.s[i + 1 + k];

			hex[k] = is_digit(c) ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
		}
		if (hex[0] >= 0 && hex[1] >= 0)
		{
			buf[n++] = (char) (hex[0] * 16 + hex[1]);
			i += 2;
		}
		else
			buf[n++] = t.s[i];
	}
	return n;
}

/* Value of a ;name=value parameter, without the parameters behind it; n 0 if absent. */
static Text
parameter(Text t, const char *name)
{
	Text		value = text_of(t.s, 0);

	if (t.n > 0 && memchr(t.s, ';', t.n) != NULL)
		value = rest_from(t, find_word(t, name));
	if (value.n == 0)
		return value;
	value = rest_from(value, strlen(name));
	value.n = find_char(value, ';');
	return value;
}

/* What follows tel:, or the user part of a SIP URI: a number with parameters. */
static bool
read_tel(Text t, int region, bool global, CallsyncCallerId *out)
{
	Text		main = trim(text_of(t.s, find_char(t, ';')));
	Text		extension = parameter(t, ";ext=");
	Text		context = parameter(t, ";phone-context=");
	char		buf[CALLSYNC_PHONE_MAX_INPUT + 16];
	size_t		n = 0;
	CallsyncPhone phone;

	if (callsync_caller_word(main.s, main.n) != CALLER_WORD_NONE)
		return withheld(out, main);
	if ((extension.n == 0 && context.n == 0) || main.n + extension.n + context.n > CALLSYNC_PHONE_MAX_INPUT - 32)
		return callsync_caller_read_number(main, region, global, 0, out);

	/* the parser knows these two parameters, in this order */
	memcpy(buf, "tel:", n = 4);
	memcpy(buf + n, main.s, main.n);
	n += main.n;
	if (extension.n > 0)
	{
		memcpy(buf + n, ";ext=", 5);
		memcpy(buf + n + 5, extension.s, extension.n);
		n += 5 + extension.n;
	}
	if (context.n > 0 && context.s[0] == '+')
	{
		memcpy(buf + n, ";phone-context=", 15);
		memcpy(buf + n + 15, context.s, context.n);
		n += 15 + context.n;
	}
	if (callsync_phone_parse(buf, n, region, &phone) == CALLSYNC_PHONE_OK && phone.code != 0)
	{
		CallsyncPhoneInfo info;

		callsync_phone_info(phone.country_code, phone.nsn, phone.nsn_len, &info);
		if (info.valid || info.possible == CALLSYNC_POSSIBLE)
			return callsync_caller_number(out, &phone, "");
	}
	return callsync_caller_read_number(main, region, global, 0, out);
}

/* What follows sip: or sips:, or a text of the form user@host. */
static bool
read_sip(Text t, int region, CallsyncCallerId *out)
{
	char		buf[MAX_FIELD];
	Text		user,
				host;
	size_t		at;

	if (begins(t, "//"))
		t = rest_from(t, 2);
	t.n = find_char(t, '?');
	at = find_char(t, '@');
	if (at < t.n)
	{
		user = text_of(t.s, at);
		host = rest_from(t, at + 1);
		host.n = find_char(host, ';');
	}
	else
	{
		/* no user part: by the book a host, by experience often a number */
		user = t;
		host = text_of("", 0);
		if (t.n == 0 || !(is_digit(t.s[0]) || t.s[0] == '+' || is_letter(t.s[0])))
			return callsync_caller_invalid(out, "a URI without user part");
		for (size_t i = 0; i < t.n && t.s[i] != ';'; i++)
			if (t.s[i] == '.')
				return callsync_caller_invalid(out, "a URI without user part");
	}
	/* a password may stand behind a colon */
	user.n = find_char(user, ':');
	user = trim(text_of(buf, percent_decode(user, buf)));
	if (callsync_caller_word(user.s, find_char(user, ';')) != CALLER_WORD_NONE)
		return withheld(out, text_of(user.s, find_char(user, ';')));
	if (equals(host, "anonymous.invalid") || equals(host, "unknown.invalid") || equals(host, "restricted.invalid"))
		return withheld(out, host);
	if (user.n == 0)
		return callsync_caller_invalid(out, "a URI without user part");
	if (user.s[0] != '+' && user.s[0] != '*' && user.s[0] != '#' && user.s[0] != '(' && !is_digit(user.s[0]))
		return callsync_caller_invalid(out, "a SIP user, not a number");
	return read_tel(user, region, true, out);
}

/* user@host without a scheme: ids of chat platforms, SIP addresses, mail addresses. */
static bool
read_address(Text t, size_t at, int region, CallsyncCallerId *out)
{
	Text		user = text_of(t.s, at);
	Text		host = rest_from(t, at + 1);
	char		digits[CALLSYNC_PHONE_MAX_DIGITS];
	int			n = callsync_caller_plain_digits(user, digits, sizeof(digits));
	CallsyncPhone phone;

	if (equals(host, "c.us") || equals(host, "s.whatsapp.net"))
	{
		if (n > 0 && callsync_caller_with_plus(digits, n, 7, &phone))
			return callsync_caller_number(out, &phone, "chat id made of the number");
		return callsync_caller_invalid(out, "a chat id, not a number");
	}
	if (equals(host, "g.us") || equals(host, "lid") || equals(host, "broadcast") || equals(host, "newsletter"))
		return callsync_caller_invalid(out, "a chat id, not a number");
	return read_sip(t, region, out);
}

/* A word in front of a colon: what kind of thing follows. */
typedef enum Scheme
{
	SCHEME_NONE,				/* no scheme: part of the text */
	SCHEME_SIP,
	SCHEME_TEL,
	SCHEME_GLOBAL,				/* a chat platform whose ids are numbers with country code */
	SCHEME_OTHER				/* ids that are no numbers even where they are digits */
} Scheme;

static Scheme
scheme_of(Text t, size_t *length)
{
	static const struct
	{
		const char *name;
		Scheme		scheme;
	}			known[] = {
		{"sip", SCHEME_SIP}, {"sips", SCHEME_SIP}, {"tel", SCHEME_TEL}, {"callto", SCHEME_TEL}, {"phone", SCHEME_TEL},
		{"fax", SCHEME_TEL}, {"modem", SCHEME_TEL}, {"facetime", SCHEME_TEL}, {"facetime-audio", SCHEME_TEL}, {"sms", SCHEME_TEL},
		{"smsto", SCHEME_TEL}, {"mms", SCHEME_TEL}, {"imessage", SCHEME_TEL}, {"rcs", SCHEME_TEL}, {"pstn", SCHEME_TEL},
		{"whatsapp", SCHEME_GLOBAL}, {"signal", SCHEME_GLOBAL}, {"wa", SCHEME_GLOBAL}, {"viber", SCHEME_GLOBAL},
		{"messenger", SCHEME_OTHER}, {"fb-messenger", SCHEME_OTHER}, {"facebook", SCHEME_OTHER}, {"fb", SCHEME_OTHER},
		{"instagram", SCHEME_OTHER}, {"ig", SCHEME_OTHER}, {"telegram", SCHEME_OTHER}, {"tg", SCHEME_OTHER}, {"client", SCHEME_OTHER},
		{"skype", SCHEME_OTHER}, {"discord", SCHEME_OTHER}, {"line", SCHEME_OTHER}, {"wechat", SCHEME_OTHER}, {"weixin", SCHEME_OTHER},
		{"slack", SCHEME_OTHER}, {"teams", SCHEME_OTHER}, {"msteams", SCHEME_OTHER}, {"twitter", SCHEME_OTHER}, {"x", SCHEME_OTHER},
		{"kik", SCHEME_OTHER}, {"snapchat", SCHEME_OTHER}, {"kakao", SCHEME_OTHER}, {"kakaotalk", SCHEME_OTHER}, {"zalo", SCHEME_OTHER},
		{"mailto", SCHEME_OTHER}, {"xmpp", SCHEME_OTHER}, {"im", SCHEME_OTHER}, {"user", SCHEME_OTHER}, {"agent", SCHEME_OTHER},
		{"bot", SCHEME_OTHER}, {"conference", SCHEME_OTHER}, {"channel", SCHEME_OTHER}, {"uuid", SCHEME_OTHER}, {"urn", SCHEME_OTHER},
		{"sid", SCHEME_OTHER}, {"web", SCHEME_OTHER}, {"webchat", SCHEME_OTHER}, {"webrtc", SCHEME_OTHER}, {"chat", SCHEME_OTHER},
		{"guest", SCHEME_OTHER}, {"session", SCHEME_OTHER}, {"http", SCHEME_OTHER}, {"https", SCHEME_OTHER}, {"email", SCHEME_OTHER},
		{"rbm", SCHEME_OTHER}, {"id", SCHEME_OTHER}, {"bsuid", SCHEME_OTHER}, {"apple", SCHEME_OTHER}, {"business", SCHEME_OTHER}
	};
	size_t		i = 0;

	while (i < t.n && (is_letter(t.s[i]) || t.s[i] == '-'))
		i++;
	if (i == 0 || i == t.n || t.s[i] != ':')
		return SCHEME_NONE;
	*length = i + 1;
	for (unsigned k = 0; k < sizeof(known) / sizeof(known[0]); k++)
		if (equals(text_of(t.s, i), known[k].name))
			return known[k].scheme;
	return SCHEME_NONE;
}

/* One identity: a URI, an address, a word or a number. */
static bool
read_part(Text t, int region, CallsyncCallerId *out)
{
	char		buf[MAX_FIELD];
	size_t		length;
	size_t		at;

	t = trim(t);
	if (t.n == 0)
		return callsync_caller_invalid(out, "empty");
	if (callsync_caller_word(t.s, t.n) != CALLER_WORD_NONE)
		return withheld(out, t);
	switch (scheme_of(t, &length))
	{
		case SCHEME_SIP:
			return read_sip(rest_from(t, length), region, out);
		case SCHEME_TEL:
			t = rest_from(t, length);
			return read_tel(trim(text_of(buf, percent_decode(t, buf))), region, false, out);
		case SCHEME_GLOBAL:
			t = rest_from(t, length);
			t = trim(text_of(buf, percent_decode(t, buf)));
			if ((at = find_char(t, '@')) < t.n)
				return read_address(t, at, region, out);
			return read_tel(t, region, true, out);
		case SCHEME_OTHER:
			/* an id that is a full number all the same */
			t = trim(rest_from(t, length));
			if (t.n > 8 && t.s[0] == '+' && is_digit(t.s[1]))
				return read_tel(t, region, false, out);
			return callsync_caller_invalid(out, "a chat or client id, not a number");
		case SCHEME_NONE:
			break;
	}
	if (t.s[0] == '@')
		return callsync_caller_invalid(out, "a chat or client id, not a number");
	at = find_char(t, '@');
	if (at < t.n)
		return read_address(t, at, region, out);
	if (memchr(t.s, '%', t.n) != NULL)
		t = trim(text_of(buf, percent_decode(t, buf)));
	/* parameters without a scheme: "+12125550100;npdi=yes" */
	if (memchr(t.s, ';', t.n) == NULL)
		return callsync_caller_read_number(t, region, false, 0, out);
	if (find_word(t, ";npdi") < t.n || find_word(t, ";rn=") < t.n || find_word(t, ";cpc=") < t.n || find_word(t, ";user=") < t.n
		|| find_word(t, ";phone-context=") < t.n || find_word(t, ";tag=") < t.n || find_word(t, ";isub=") < t.n)
		return read_tel(t, region, false, out);
	return callsync_caller_read_number(t, region, false, 0, out);
}

/* Removes a header name ("P-Asserted-Identity:") in front; true if it was Privacy. */
static bool
strip_header(Text *t)
{
	static const char *const names[] = {"p-asserted-identity:", "p-preferred-identity:", "remote-party-id:", "from:", "f:", "contact:",
	"caller-id:", "callerid:", "caller:", "x-caller-id:", "diversion:", "reply-to:", "identity:"};

	if (begins(*t, "privacy:"))
	{
		*t = trim(rest_from(*t, 8));
		return true;
	}
	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (begins(*t, names[i]))
		{
			*t = trim(rest_from(*t, strlen(names[i])));
			break;
		}
	return false;
}

static bool
asks_privacy(Text value)
{
	value = trim(value);
	return value.n > 0 && !begins(value, "none") && !begins(value, "off");
}

static bool
read_field(Text t, int region, CallsyncCallerId *out)
{
	Text		display,
				inner,
				privacy;
	size_t		lt,
				gt;

	t = trim(t);
	if (strip_header(&t))
		return asks_privacy(t) ? withheld(out, t) : callsync_caller_invalid(out, "no number");
	privacy = parameter(t, ";privacy=");
	if (asks_privacy(privacy))
		return callsync_caller_settle(out, CALLSYNC_CALLER_WITHHELD, "asks for privacy=%.*s", privacy);
	if (t.n > 0 && memchr(t.s, '\n', t.n) != NULL)
	{
		privacy = rest_from(t, find_word(t, "\nprivacy:"));
		if (privacy.n > 0 && asks_privacy(rest_from(privacy, 9)))
			return callsync_caller_settle(out, CALLSYNC_CALLER_WITHHELD, "asks for privacy", text_of("", 0));
	}

	/* "Name" <uri>, <uri>: the first identity that has a number */
	for (int identities = 0; identities < 8 && (lt = find_char(t, '<')) < t.n; identities++)
	{
		display = trim(text_of(t.s, lt));
		inner = rest_from(t, lt + 1);
		gt = find_char(inner, '>');
		t = gt < inner.n ? rest_from(inner, gt + 1) : text_of("", 0);
		inner.n = gt;
		if (callsync_caller_word(display.s, display.n) == CALLER_WORD_PRIVATE)
			return withheld(out, display);
		if (read_part(inner, region, out))
			return true;
		/* the number may be the name, and the address that of a switch */
		if (display.n > 0 && callsync_caller_read_number(display, region, false, 8, out) && out->kind == CALLSYNC_CALLER_NUMBER && out->valid)
			return true;
		if (callsync_caller_word(display.s, display.n) != CALLER_WORD_NONE)
			return withheld(out, display);
		if (find_char(t, '<') == t.n)
			return read_part(inner, region, out);
		while (t.n > 0 && (is_space(t.s[0]) || t.s[0] == ',' || t.s[0] == ';'))
			t = rest_from(t, 1);
	}
	return read_part(t, region, out);
}

void
callsync_caller_id(const char *raw, size_t len, int region, CallsyncCallerId *out)
{
	memset(out, 0, sizeof(*out));
	out->kind = CALLSYNC_CALLER_INVALID;
	if (len > MAX_FIELD)
		callsync_caller_invalid(out, "longer than 1024 bytes");
	else if (!read_field(text_of(raw, len), region, out))
		out->kind = CALLSYNC_CALLER_INVALID;
	if (out->kind != CALLSYNC_CALLER_NUMBER)
	{
		/* whatever was tried on the way: only a number has a key */
		out->code = 0;
		out->test_range = false;
		out->valid = false;
		out->extension_len = 0;
		out->extension[0] = '\0';
	}
	else
		out->local_len = 0;
}

const char *
callsync_caller_kind_name(CallsyncCallerKind kind)
{
	static const char *const names[] = {"number", "short_code", "emergency", "withheld", "invalid"};

	return names[kind];
}

/* Significant digits of an identity: all of a number, what is known of a local one. */
static int
significant(const CallsyncCallerId *id, char digits[CALLSYNC_PHONE_MAX_DIGITS])
{
	if (id->kind == CALLSYNC_CALLER_NUMBER)
		return callsync_phone_unpack(id->code, digits);
	if (id->kind != CALLSYNC_CALLER_INVALID)
		return 0;
	memcpy(digits, id->local, id->local_len);
	return id->local_len;
}

bool
callsync_same_caller(const char *a, size_t alen, const char *b, size_t blen, int region)
{
	CallsyncCallerId x,
				y;
	char		xd[CALLSYNC_PHONE_MAX_DIGITS],
				yd[CALLSYNC_PHONE_MAX_DIGITS];
	int			xn,
				yn,
				n;

	callsync_caller_id(a, alen, region, &x);
	callsync_caller_id(b, blen, region, &y);
	if (x.extension_len > 0 && y.extension_len > 0 && strcmp(x.extension, y.extension) != 0)
		return false;
	if (x.kind == CALLSYNC_CALLER_NUMBER && y.kind == CALLSYNC_CALLER_NUMBER)
		return x.code == y.code;
	xn = significant(&x, xd);
	yn = significant(&y, yd);
	n = xn < yn ? xn : yn;
	return n >= 8 && memcmp(xd + xn - n, yd + yn - n, n) == 0;
}
