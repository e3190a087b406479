/*
 * phone_format.c
 *		Numbers as people read them: E.164, national, international, RFC 3966.
 */
#include <string.h>

#include "core/phone_internal.h"

/* Writes the template of a format, its groups filled with the digits. */
static char *
fill_template(const CallsyncPhoneFormat *f, unsigned template_at, const char *nsn, int nsn_len, char *to)
{
	int			at[6],
				length[6];
	int			used = 0,
				later = 0;

	for (int g = 0; g < f->groups; g++)
		later += f->min[g];
	for (int g = 0; g < f->groups; g++)
	{
		/* greedy: as many digits as the later groups can spare */
		later -= f->min[g];
		length[g] = nsn_len - used - later;
		if (length[g] > f->max[g])
			length[g] = f->max[g];
		at[g] = used;
		used += length[g];
	}
	for (const char *p = callsync_phone_pool + template_at; *p; p++)
	{
		if (*p < 10)
		{
			memcpy(to, nsn + at[*p - 1], length[*p - 1]);
			to += length[*p - 1];
		}
		else
			*to++ = *p;
	}
	return to;
}

static char *
append(char *to, const char *text, size_t len)
{
	memcpy(to, text, len);
	return to + len;
}

int
callsync_phone_format(int country_code, const char *nsn, int nsn_len, const char *extension, int extension_len,
					  CallsyncPhoneStyle style, char buf[CALLSYNC_PHONE_FORMAT_MAX])
{
	const CallsyncPhoneCallingCode *cc = callsync_phone_calling_code(country_code);
	char	   *to = buf;

	if (cc == NULL && style != CALLSYNC_STYLE_E164)
	{
		/* as the library: without metadata the bare number */
		to = append(to, nsn, nsn_len);
		*to = '\0';
		return (int) (to - buf);
	}
	if (style == CALLSYNC_STYLE_RFC3966)
		to = append(to, "tel:", 4);
	if (style != CALLSYNC_STYLE_NATIONAL)
	{
		*to++ = '+';
		if (country_code >= 100)
			*to++ = '0' + country_code / 100 % 10;
		if (country_code >= 10)
			*to++ = '0' + country_code / 10 % 10;
		*to++ = '0' + country_code % 10;
	}
	if (style == CALLSYNC_STYLE_E164)
		to = append(to, nsn, nsn_len);
	else
	{
		uint16_t	label = callsync_phone_walk(cc->format_root, nsn, nsn_len);
		int			which = style == CALLSYNC_STYLE_NATIONAL ? label & 0xFF : label >> 8;

		if (style == CALLSYNC_STYLE_INTERNATIONAL)
			*to++ = ' ';
		else if (style == CALLSYNC_STYLE_RFC3966)
			*to++ = '-';
		if (which == 0)
			to = append(to, nsn, nsn_len);
		else
		{
			const CallsyncPhoneFormat *f = &callsync_phone_formats[cc->format_base + which - 1];

			to = fill_template(f, style == CALLSYNC_STYLE_NATIONAL ? f->national
							   : style == CALLSYNC_STYLE_INTERNATIONAL ? f->international : f->rfc3966,
							   nsn, nsn_len, to);
		}
		if (extension_len > 0)
		{
			const char *before = style == CALLSYNC_STYLE_RFC3966 ? ";ext=" : callsync_phone_pool + cc->extension;

			to = append(to, before, strlen(before));
			to = append(to, extension, extension_len);
		}
	}
	*to = '\0';
	return (int) (to - buf);
}

bool
callsync_phone_style_lookup(const char *name, size_t len, CallsyncPhoneStyle *style)
{
	static const char *const names[] = {"e164", "national", "international", "rfc3966"};

	for (int s = 0; s < 4; s++)
	{
		size_t		i = 0;

		if (strlen(names[s]) != len)
			continue;
		while (i < len && (name[i] >= 'A' && name[i] <= 'Z' ? name[i] + 32 : name[i]) == names[s][i])
			i++;
		if (i == len)
		{
			*style = (CallsyncPhoneStyle) s;
			return true;
		}
	}
	return false;
}
