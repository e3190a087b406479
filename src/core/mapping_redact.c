/*
 * mapping_redact.c
 *		What a destination must not see is taken out of the call document before
 *		anything is mapped.
 *
 * Card numbers go always and everywhere: no rule can let them through.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/crypto.h"
#include "core/mapping_impl.h"
#include "core/redact.h"

static const char *const words[] = {"mask", "remove", "last4", "hash", NULL};

typedef enum RedactHow
{
	REDACT_MASK,
	REDACT_REMOVE,
	REDACT_LAST4,
	REDACT_HASH
} RedactHow;

static json_t *
redacted(const json_t *value, RedactHow how)
{
	TextBuf		text = {0};
	json_t	   *result;

	if (how == REDACT_MASK || !callsync_scalar_text(value, &text))
		return json_string(CALLSYNC_MASK);
	if (how == REDACT_LAST4)
	{
		char		shown[4 * 4 + 4];
		size_t		start = text.len;
		int			chars = 0;

		while (start > 0 && chars < 4)
		{
			start--;
			if (((unsigned char) text.data[start] & 0xC0) != 0x80)
				chars++;
		}
		/* four of five characters would hide nothing */
		if (text.len < 8)
			start = text.len;
		snprintf(shown, sizeof(shown), CALLSYNC_MASK "%s", text.data ? text.data + start : "");
		result = json_string(shown);
	}
	else
	{
		uint8_t		digest[CALLSYNC_SHA256_LEN];
		char		hex[2 * CALLSYNC_SHA256_LEN + 1];

		callsync_sha256(text.data ? text.data : "", text.len, digest);
		callsync_hex(digest, sizeof(digest), hex);
		result = json_string(hex);
	}
	callsync_text_free(&text);
	return result;
}

static void
apply(json_t *at, const CallsyncPath *path, int seg, RedactHow how)
{
	const PathSeg *s = &path->segs[seg];
	bool		last = seg == path->n - 1;

	if (json_is_object(at))
	{
		const char *key;
		json_t	   *value;
		void	   *tmp;

		json_object_foreach_safe(at, tmp, key, value)
		{
			if (!s->any && strcmp(s->key, key) != 0)
				continue;
			if (!last)
				apply(value, path, seg + 1, how);
			else if (how == REDACT_REMOVE)
				json_object_del(at, key);
			else if (!json_is_null(value))
				json_object_set_new(at, key, redacted(value, how));
		}
	}
	else if (json_is_array(at))
	{
		for (size_t i = json_array_size(at); i-- > 0;)
		{
			if (!s->any && s->index != (int) i)
				continue;
			if (!last)
				apply(json_array_get(at, i), path, seg + 1, how);
			else if (how == REDACT_REMOVE)
				json_array_remove(at, i);
			else
				json_array_set_new(at, i, redacted(json_array_get(at, i), how));
		}
	}
}

/* Numbers that are what they say: one in ten of them would pass for a card by its check digit. */
static bool
is_identifier(const char *key)
{
	static const char *const names[] = {"call_id", "id", "phone", "spoken_phone", "dialled_number", "existing_contact_id",
	"external_id", NULL};

	for (int i = 0; names[i] != NULL; i++)
		if (strcmp(names[i], key) == 0)
			return true;
	return false;
}

/* Replaces texts that hold a card number; returns a replacement or NULL. */
static json_t *
without_cards(json_t *value)
{
	if (json_is_string(value))
	{
		size_t		len = json_string_length(value);
		const char *s = json_string_value(value);
		size_t		digits = 0;
		char	   *copy;
		json_t	   *result = NULL;

		for (size_t i = 0; i < len && digits < 13; i++)
			digits += s[i] >= '0' && s[i] <= '9';
		if (digits < 13)
			return NULL;
		copy = malloc(len + 1);
		if (copy == NULL)
			return json_string(CALLSYNC_MASK);
		memcpy(copy, s, len + 1);
		if (callsync_redact_cards(copy, len) > 0)
			result = json_stringn(copy, len);
		free(copy);
		return result;
	}
	if (json_is_object(value))
	{
		const char *key;
		json_t	   *member;

		json_object_foreach(value, key, member)
		{
			json_t	   *clean = is_identifier(key) ? NULL : without_cards(member);

			if (clean != NULL)
				json_object_set_new(value, key, clean);
		}
	}
	for (size_t i = 0; json_is_array(value) && i < json_array_size(value); i++)
	{
		json_t	   *clean = without_cards(json_array_get(value, i));

		if (clean != NULL)
			json_array_set_new(value, i, clean);
	}
	return NULL;
}

json_t *
callsync_map_redact(const json_t *document, const json_t *rules, CallsyncDocError *err)
{
	json_t	   *copy = json_deep_copy(document);
	const char *path_text;
	json_t	   *word;

	if (rules != NULL && !json_is_null(rules) && !json_is_object(rules))
	{
		callsync_doc_error(err, "", "Write {\"caller.name\": \"mask\"}.", "\"redact\" must be an object of paths.");
		json_decref(copy);
		return NULL;
	}
	json_object_foreach((json_t *) rules, path_text, word)
	{
		CallsyncPath *path = callsync_path_parse(path_text, strlen(path_text));
		int			how = -1;

		for (int i = 0; words[i] != NULL; i++)
			if (json_is_string(word) && strcmp(words[i], json_string_value(word)) == 0)
				how = i;
		if (path == NULL || path->n == 0 || how < 0)
		{
			callsync_doc_error(err, path_text, "A path can be masked by mask, remove, last4 or hash.",
							   "The rule for \"%.80s\" cannot be understood.", path_text);
			callsync_path_free(path);
			json_decref(copy);
			return NULL;
		}
		apply(copy, path, 0, (RedactHow) how);
		callsync_path_free(path);
	}
	without_cards(copy);
	return copy;
}
