/*
 * filter_escape.c
 *		Making text safe for the place where it goes.
 *
 * Each filter escapes for one grammar; a URL holding a query language needs
 * both, innermost first: {find.phone|soql|url}.
 */
#include "core/filter_impl.h"

#include <string.h>

/* RFC 3986: everything but the unreserved characters. */
bool
callsync_filter_url(FilterJob *job)
{
	static const char hex[] = "0123456789ABCDEF";

	for (size_t i = 0; i < job->len; i++)
	{
		unsigned char c = (unsigned char) job->s[i];

		if ((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
			c == '-' || c == '.' || c == '_' || c == '~')
			filter_putc(&job->out, (char) c);
		else
		{
			filter_putc(&job->out, '%');
			filter_putc(&job->out, hex[c >> 4]);
			filter_putc(&job->out, hex[c & 15]);
		}
	}
	return callsync_filter_text(job);
}

/* In a URL template: "I know that this is safe" (a cursor that is a whole URL). */
bool
callsync_filter_raw(FilterJob *job)
{
	filter_put(&job->out, job->s, job->len);
	return callsync_filter_text(job);
}

static void
put_before(FilterJob *job, const char *special, char with)
{
	for (size_t i = 0; i < job->len; i++)
	{
		if (job->s[i] != '\0' && strchr(special, job->s[i]) != NULL)
			filter_putc(&job->out, with);
		filter_putc(&job->out, job->s[i]);
	}
}

/* Inside a JSON string, without the quotes. */
bool
callsync_filter_jsonstr(FilterJob *job)
{
	static const char hex[] = "0123456789abcdef";

	for (size_t i = 0; i < job->len; i++)
	{
		unsigned char c = (unsigned char) job->s[i];

		if (c == '"' || c == '\\')
		{
			filter_putc(&job->out, '\\');
			filter_putc(&job->out, (char) c);
		}
		else if (c == '\n')
			filter_put(&job->out, "\\n", 2);
		else if (c < 0x20)
		{
			filter_put(&job->out, "\\u00", 4);
			filter_putc(&job->out, hex[c >> 4]);
			filter_putc(&job->out, hex[c & 15]);
		}
		else
			filter_putc(&job->out, (char) c);
	}
	return callsync_filter_text(job);
}

/* Inside a quoted SOQL literal. */
bool
callsync_filter_soql(FilterJob *job)
{
	for (size_t i = 0; i < job->len; i++)
	{
		char		c = job->s[i];

		switch (c)
		{
			case '\\':
			case '\'':
			case '"':
				filter_putc(&job->out, '\\');
				filter_putc(&job->out, c);
				break;
			case '\n':
				filter_put(&job->out, "\\n", 2);
				break;
			case '\r':
				filter_put(&job->out, "\\r", 2);
				break;
			case '\t':
				filter_put(&job->out, "\\t", 2);
				break;
			case '\0':
				break;
			default:
				filter_putc(&job->out, c);
		}
	}
	return callsync_filter_text(job);
}

/* Inside a LIKE pattern of a quoted literal: wildcards become characters. Use before soql. */
bool
callsync_filter_like(FilterJob *job)
{
	put_before(job, "\\%_", '\\');
	return callsync_filter_text(job);
}

/* A search term of SOSL: ? & | ! { } [ ] ( ) ^ ~ * : \ " ' + - are operators. */
bool
callsync_filter_sosl(FilterJob *job)
{
	put_before(job, "?&|!{}[]()^~*:\\\"'+-", '\\');
	return callsync_filter_text(job);
}

/* Inside a quoted OData literal. */
bool
callsync_filter_odata(FilterJob *job)
{
	for (size_t i = 0; i < job->len; i++)
	{
		if (job->s[i] == '\'')
			filter_putc(&job->out, '\'');
		if (job->s[i] != '\0')
			filter_putc(&job->out, job->s[i]);
	}
	return callsync_filter_text(job);
}

/* A value in (Field:operator:value) search criteria. */
bool
callsync_filter_criteria(FilterJob *job)
{
	put_before(job, "\\(),:", '\\');
	return callsync_filter_text(job);
}

bool
callsync_filter_xml(FilterJob *job)
{
	for (size_t i = 0; i < job->len; i++)
	{
		unsigned char c = (unsigned char) job->s[i];

		switch (c)
		{
			case '&':
				filter_put(&job->out, "&amp;", 5);
				break;
			case '<':
				filter_put(&job->out, "&lt;", 4);
				break;
			case '>':
				filter_put(&job->out, "&gt;", 4);
				break;
			case '"':
				filter_put(&job->out, "&quot;", 6);
				break;
			case '\'':
				filter_put(&job->out, "&apos;", 6);
				break;
			default:
				/* XML 1.0 cannot carry other control characters, not even escaped */
				if (c >= 0x20 || c == '\n' || c == '\t' || c == '\r')
					filter_putc(&job->out, (char) c);
		}
	}
	return callsync_filter_text(job);
}

/* Plain text as HTML: what the caller said can never become markup. */
bool
callsync_filter_html(FilterJob *job)
{
	for (size_t i = 0; i < job->len; i++)
	{
		char		c = job->s[i];

		switch (c)
		{
			case '&':
				filter_put(&job->out, "&amp;", 5);
				break;
			case '<':
				filter_put(&job->out, "&lt;", 4);
				break;
			case '>':
				filter_put(&job->out, "&gt;", 4);
				break;
			case '\n':
				filter_put(&job->out, "<br>", 4);
				break;
			case '\r':
				break;
			default:
				filter_putc(&job->out, c);
		}
	}
	return callsync_filter_text(job);
}

/* Only & < >: chat markup, where a quote stays a quote. */
bool
callsync_filter_amp(FilterJob *job)
{
	for (size_t i = 0; i < job->len; i++)
	{
		char		c = job->s[i];

		if (c == '&')
			filter_put(&job->out, "&amp;", 5);
		else if (c == '<')
			filter_put(&job->out, "&lt;", 4);
		else if (c == '>')
			filter_put(&job->out, "&gt;", 4);
		else
			filter_putc(&job->out, c);
	}
	return callsync_filter_text(job);
}

/* HTML as plain text: tags gone, breaks and paragraphs to newlines, the common entities. */
bool
callsync_filter_strip_html(FilterJob *job)
{
	static const struct
	{
		const char *entity;
		const char *text;
	}			entities[] = {
		{"&amp;", "&"}, {"&lt;", "<"}, {"&gt;", ">"}, {"&quot;", "\""}, {"&#39;", "'"},
		{"&apos;", "'"}, {"&nbsp;", " "},
	};
	const char *p = job->s;
	const char *end = p + job->len;

	while (p < end)
	{
		if (*p == '<')
		{
			const char *close = memchr(p, '>', (size_t) (end - p));
			const char *tag = p + 1;

			if (close == NULL)
				break;			/* cut markup */
			if (tag < close && *tag == '/')
				tag++;
			if ((close - tag >= 2 && strncmp(tag, "br", 2) == 0) ||
				((tag[0] == 'p' || tag[0] == 'P') && p[1] == '/') ||
				(close - tag >= 2 && strncmp(tag, "li", 2) == 0 && p[1] == '/'))
				filter_putc(&job->out, '\n');
			p = close + 1;
			continue;
		}
		if (*p == '&')
		{
			bool		done = false;

			for (size_t i = 0; i < sizeof(entities) / sizeof(entities[0]) && !done; i++)
			{
				size_t		n = strlen(entities[i].entity);

				if ((size_t) (end - p) >= n && strncmp(p, entities[i].entity, n) == 0)
				{
					filter_put(&job->out, entities[i].text, strlen(entities[i].text));
					p += n;
					done = true;
				}
			}
			if (done)
				continue;
		}
		filter_putc(&job->out, *p++);
	}
	return callsync_filter_text(job);
}

/* A text value of RFC 5545. */
bool
callsync_filter_ical(FilterJob *job)
{
	for (size_t i = 0; i < job->len; i++)
	{
		char		c = job->s[i];

		if (c == '\\' || c == ';' || c == ',')
			filter_putc(&job->out, '\\');
		if (c == '\n')
			filter_put(&job->out, "\\n", 2);
		else if (c != '\r' && c != '\0')
			filter_putc(&job->out, c);
	}
	return callsync_filter_text(job);
}
