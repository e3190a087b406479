/*
 * connector.c
 *		Life of a parsed connector document, merge and look-ups, see connector.h.
 */
#include "core/connector.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/connector_impl.h"

/* A document nests about ten deep; this bounds what a hostile one can do to the stack. */
#define MAX_DEPTH 40

/* ---- merge ---- */

json_t *
callsync_connector_merge(const json_t *document, const json_t *overlay)
{
	json_t	   *merged;
	const char *key;
	json_t	   *value;

	if (!json_is_object(document) || !json_is_object(overlay))
		return json_incref((json_t *) (overlay != NULL ? overlay : document));
	merged = json_copy((json_t *) document);
	json_object_foreach((json_t *) overlay, key, value)
	{
		size_t		len = strlen(key);

		if (len > 1 && key[len - 1] == '+' && json_is_array(value))
		{
			char		name[200];
			json_t	   *list = json_copy(value);

			snprintf(name, sizeof(name), "%.*s", (int) (len - 1), key);
			if (json_is_array(json_object_get(merged, name)))
				json_array_extend(list, json_object_get(merged, name));
			json_object_set_new(merged, name, list);
		}
		else if (len > 1 && key[len - 1] == '=')
		{
			char		name[200];

			snprintf(name, sizeof(name), "%.*s", (int) (len - 1), key);
			json_object_set(merged, name, value);
		}
		else if (json_is_null(value))
			json_object_del(merged, key);
		else if (json_is_object(value) && json_is_object(json_object_get(merged, key)))
			json_object_set_new(merged, key, callsync_connector_merge(json_object_get(merged, key), value));
		else
			json_object_set(merged, key, value);
	}
	return merged;
}

/* ---- parsing ---- */

static bool
check_depth(const json_t *value, int depth, CallsyncDocError *err)
{
	const char *key;
	json_t	   *member;

	if (depth > MAX_DEPTH)
		return callsync_doc_error(err, "", NULL, "The document nests more than %d deep.", MAX_DEPTH);
	if (json_is_object(value))
	{
		json_object_foreach((json_t *) value, key, member)
		{
			if (!check_depth(member, depth + 1, err))
				return false;
		}
	}
	else
		for (size_t i = 0; i < json_array_size(value); i++)
			if (!check_depth(json_array_get(value, i), depth + 1, err))
				return false;
	return true;
}

/*
 * Vars may use vars ("/objects/{version}"), so that one number moves many
 * paths.  Three rounds are more than any document needs; a circle is what is left.
 */
static bool
expand_vars(CallsyncConnector *c, CallsyncDocError *err)
{
	for (int round = 0; round < 4; round++)
	{
		const char *key;
		json_t	   *value;
		bool		again = false;

		json_object_foreach(c->vars, key, value)
		{
			CallsyncRenderInput input = {.context = NULL, .vars = c->vars};
			CallsyncTemplate *tmpl;
			char	   *text;
			char		where[200];

			if (!json_is_string(value) || strchr(json_string_value(value), '{') == NULL)
				continue;
			if (round == 3)
				return callsync_doc_error(err, "/base/vars", NULL, "Var \"%.60s\" refers to itself.", key);
			snprintf(where, sizeof(where), "/base/vars/%s", key);
			tmpl = callsync_template_parse(value, NULL, where, err);
			if (tmpl == NULL)
				return false;
			text = callsync_template_render_text(tmpl, &input, err);
			callsync_template_free(tmpl);
			if (text == NULL)
				return false;
			json_object_set_new(c->vars, key, json_string(text));
			free(text);
			again = true;
		}
		if (!again)
			break;
	}
	return true;
}

static bool
parse_base(CallsyncConnector *c, const char *base_url, CallsyncDocError *err)
{
	static const char *const keys[] = {"url", "url_from", "whole_url", "vars", "headers", NULL};
	const json_t *base = json_object_get(c->document, "base");
	const json_t *vars;
	const char *key;
	json_t	   *value;
	size_t		len;

	if (base == NULL)
		return callsync_doc_error(err, "", NULL, "A connector needs \"base\".");
	if (!callsync_doc_keys(base, "/base", err, keys) ||
		!callsync_doc_text(base, "url", "/base", err, &c->base_url) ||
		!callsync_doc_text(base, "url_from", "/base", err, &c->base_url_from) ||
		!callsync_doc_bool(base, "whole_url", "/base", err, &c->whole_url) ||
		!callsync_connector_parse_headers(json_object_get(base, "headers"), "/base/headers", err,
										  &c->base_headers, &c->nbase_headers))
		return false;
	if (base_url == NULL && c->base_url != NULL && strncmp(c->base_url, "http://", 7) == 0)
		return callsync_doc_error(err, "/base/url", "A destination may have a base_url with plain http, where a superuser allows its address.",
								  "The URL of a document must be https: calls hold personal data.");
	if (base_url != NULL)
	{
		json_object_set_new((json_t *) base, "url", json_string(base_url));
		c->base_url = json_string_value(json_object_get(base, "url"));
	}
	/* a document without one (a webhook) gets it from the destination; requests need it */
	if (c->base_url != NULL)
	{
		if (strncmp(c->base_url, "https://", 8) != 0 && strncmp(c->base_url, "http://", 7) != 0)
			return callsync_doc_error(err, "/base/url", "A base URL looks like https://api.example.com.",
									  "\"%.80s\" is not an http or https URL.", c->base_url);
		if (strpbrk(c->base_url, c->whole_url ? " \t\r\n#" : " \t\r\n?#") != NULL)
			return callsync_doc_error(err, "/base/url", NULL, c->whole_url ? "A URL cannot hold blanks or a fragment." :
									  "A base URL cannot hold blanks, a query or a fragment.");
	}
	len = c->base_url != NULL ? strlen(c->base_url) : 0;
	if (len > 0 && c->base_url[len - 1] == '/' && !c->whole_url)
	{
		json_object_set_new((json_t *) base, "url", json_stringn(c->base_url, len - 1));
		c->base_url = json_string_value(json_object_get(base, "url"));
	}

	vars = json_object_get(base, "vars");
	c->vars = json_object();
	if (vars != NULL && !callsync_doc_is(vars, JSON_OBJECT, "/base", "vars", err))
		return false;
	json_object_foreach((json_t *) vars, key, value)
	{
		static const char *const reserved[] = {"record", "id", "key", "trace", "steps", "call", "match", "meta", "find",
		"ids", "props", "cursor", "since", "until", "object", "items", NULL};

		for (int i = 0; reserved[i] != NULL; i++)
			if (strcmp(reserved[i], key) == 0)
				return callsync_doc_error(err, "/base/vars", NULL, "A var cannot be called \"%.60s\".", key);
		json_object_set(c->vars, key, value);
	}
	json_object_set_new(c->vars, "base", json_string(c->base_url ? c->base_url : ""));
	return expand_vars(c, err);
}

static bool
parse_objects(CallsyncConnector *c, CallsyncDocError *err)
{
	static const char *const keys[] = {"name", "label", "fields", "fields_complete", NULL};
	const json_t *objects = json_object_get(c->document, "objects");
	const char *name;
	json_t	   *doc;

	if (objects == NULL)
		return callsync_doc_error(err, "", NULL, "A connector needs \"objects\".");
	if (!callsync_doc_is(objects, JSON_OBJECT, "", "objects", err))
		return false;
	json_object_foreach((json_t *) objects, name, doc)
	{
		char		where[200];
		const char *remote = NULL;
		const char *field;
		json_t	   *spec;

		snprintf(where, sizeof(where), "/objects/%s", name);
		if (!callsync_doc_keys(doc, where, err, keys) || !callsync_doc_text(doc, "name", where, err, &remote))
			return false;
		if (remote == NULL)
			return callsync_doc_error(err, where, NULL, "An object needs \"name\", its name at the destination.");
		if (json_object_get(doc, "fields") == NULL)
			continue;
		if (!callsync_doc_is(json_object_get(doc, "fields"), JSON_OBJECT, where, "fields", err))
			return false;
		json_object_foreach(json_object_get(doc, "fields"), field, spec)
		{
			static const char *const field_keys[] = {"type", "max", "required", "options", "readonly", "unique", "label",
			"compare", "read_as", NULL};
			static const char *const types[] = {"string", "text", "email", "phone", "url", "number", "integer", "bool",
			"date", "datetime", "enum", "multi", "reference", "json", NULL};
			static const char *const compares[] = {"exact", "trim", "nocase", "html", "phone", "contains", "time", "skip", NULL};
			char		sub[400];
			int			word = 0;

			snprintf(sub, sizeof(sub), "%s/fields/%s", where, field);
			if (!callsync_doc_keys(spec, sub, err, field_keys) || !callsync_doc_word(spec, "type", sub, err, types, &word) ||
				!callsync_doc_word(spec, "compare", sub, err, compares, &word))
				return false;
		}
	}
	return true;
}

/*
 * The document with a preset (named by "preset" in the overlay or in the document
 * itself) and the overlay merged over it; a deep copy, so that nothing of the
 * caller's may change under us.
 */
static json_t *
merge_all(const json_t *document, const json_t *overlay, CallsyncDocError *err)
{
	const json_t *preset = json_object_get(overlay, "preset");
	const json_t *presets = json_object_get(document, "presets");
	json_t	   *merged = json_incref((json_t *) document);
	json_t	   *copy;

	if (preset == NULL)
		preset = json_object_get(document, "preset");
	if (preset != NULL)
	{
		const json_t *chosen = json_is_string(preset) ? json_object_get(presets, json_string_value(preset)) : NULL;

		if (chosen == NULL)
		{
			char		hint[400];
			size_t		used = (size_t) snprintf(hint, sizeof(hint), "Presets are:");
			const char *name;
			json_t	   *any;

			json_object_foreach((json_t *) presets, name, any)
			{
				if (used < sizeof(hint) - 60)
					used += (size_t) snprintf(hint + used, sizeof(hint) - used, " %.50s", name);
			}
			callsync_doc_error(err, "/preset", hint, "There is no such preset.");
			json_decref(merged);
			return NULL;
		}
		copy = callsync_connector_merge(merged, chosen);
		json_decref(merged);
		merged = copy;
	}
	if (overlay != NULL)
	{
		copy = callsync_connector_merge(merged, overlay);
		json_decref(merged);
		merged = copy;
	}
	copy = json_deep_copy(merged);
	json_decref(merged);
	return copy;
}

CallsyncConnector *
callsync_connector_parse(const json_t *document, const json_t *overlay, const char *base_url, CallsyncDocError *err)
{
	static const char *const keys[] = {"name", "title", "version", "doc_checked", "unconfirmed", "base", "auth", "limits",
	"objects", "ops", "steps", "mapping", "rules", "confirmation", "preset", "presets", NULL};
	static const char *const confirmations[] = {"read_back", "response", "transport", NULL};
	CallsyncConnector *c;
	int			confirmation = 1;

	if (!json_is_object(document))
	{
		callsync_doc_error(err, "", NULL, "A connector document is a JSON object.");
		return NULL;
	}
	if (!check_depth(document, 0, err) || (overlay != NULL && !check_depth(overlay, 0, err)))
		return NULL;
	c = calloc(1, sizeof(*c));
	if (c == NULL)
	{
		callsync_doc_error(err, "", NULL, "Out of memory.");
		return NULL;
	}
	c->document = merge_all(document, overlay, err);
	if (c->document == NULL)
		goto bad;

	if (!callsync_doc_keys(c->document, "", err, keys) ||
		!callsync_doc_text(c->document, "name", "", err, &c->name) ||
		!callsync_doc_text(c->document, "version", "", err, &c->version) ||
		!callsync_doc_word(c->document, "confirmation", "", err, confirmations, &confirmation))
		goto bad;
	if (c->name == NULL || c->name[0] == '\0' || c->version == NULL)
	{
		callsync_doc_error(err, "", NULL, "A connector needs \"name\" and \"version\".");
		goto bad;
	}
	c->confirmation = (CallsyncConfirmation) confirmation;
	if (json_object_get(c->document, "mapping") != NULL &&
		!callsync_doc_is(json_object_get(c->document, "mapping"), JSON_OBJECT, "", "mapping", err))
		goto bad;
	if (!parse_base(c, base_url, err) ||
		!parse_objects(c, err) ||
		!callsync_connector_parse_auth(c, json_object_get(c->document, "auth"), err) ||
		!callsync_connector_parse_limits(c, json_object_get(c->document, "limits"), err) ||
		!callsync_connector_parse_ops(c, json_object_get(c->document, "ops"), err) ||
		!callsync_connector_parse_steps(c, json_object_get(c->document, "steps"), err) ||
		!callsync_connector_parse_rules(c, json_object_get(c->document, "rules"), err))
		goto bad;
	return c;

bad:
	callsync_connector_free(c);
	return NULL;
}

static json_t *
load(const char *text, size_t len, const char *what, CallsyncDocError *err)
{
	json_error_t e;
	json_t	   *doc = json_loadb(text, len, JSON_REJECT_DUPLICATES, &e);

	if (doc == NULL)
		callsync_doc_error(err, "", NULL, "The %s is not JSON: %s, line %d.", what, e.text, e.line);
	return doc;
}

CallsyncConnector *
callsync_connector_parse_text(const char *document, size_t document_len, const char *overlay, size_t overlay_len,
							  const char *base_url, CallsyncDocError *err)
{
	json_t	   *doc = load(document, document_len, "connector document", err);
	json_t	   *over = NULL;
	CallsyncConnector *c = NULL;

	if (doc == NULL)
		return NULL;
	if (overlay == NULL || (over = load(overlay, overlay_len, "override", err)) != NULL)
		c = callsync_connector_parse(doc, over, base_url, err);
	json_decref(doc);
	json_decref(over);
	return c;
}

void
callsync_connector_free(CallsyncConnector *c)
{
	if (c == NULL)
		return;
	callsync_connector_free_rules(c);
	callsync_connector_free_steps(c);
	callsync_connector_free_ops(c);
	callsync_connector_free_limits(c);
	callsync_connector_free_auth(c);
	callsync_connector_free_headers(c->base_headers, c->nbase_headers);
	json_decref(c->vars);
	json_decref(c->document);
	free(c);
}

/* ---- look-ups ---- */

const char *
callsync_connector_name(const CallsyncConnector *c)
{
	return c->name;
}

const char *
callsync_connector_version(const CallsyncConnector *c)
{
	return c->version;
}

const char *
callsync_connector_base_url(const CallsyncConnector *c)
{
	return c->base_url;
}

const char *
callsync_connector_base_url_from(const CallsyncConnector *c)
{
	return c->base_url_from;
}

const json_t *
callsync_connector_vars(const CallsyncConnector *c)
{
	return c->vars;
}

const json_t *
callsync_connector_document(const CallsyncConnector *c)
{
	return c->document;
}

CallsyncConfirmation
callsync_connector_confirmation(const CallsyncConnector *c)
{
	return c->confirmation;
}

int
callsync_connector_op_count(const CallsyncConnector *c)
{
	return c->nops;
}

const CallsyncOp *
callsync_connector_op_at(const CallsyncConnector *c, int n)
{
	return n >= 0 && n < c->nops ? &c->ops[n] : NULL;
}

/* Sorted by name, except while the ops are being parsed; few enough to walk. */
const CallsyncOp *
callsync_connector_op(const CallsyncConnector *c, const char *name)
{
	for (int i = 0; i < c->nops; i++)
		if (strcmp(c->ops[i].name, name) == 0)
			return &c->ops[i];
	return NULL;
}

const json_t *
callsync_connector_fields(const CallsyncConnector *c, const char *object)
{
	return json_object_get(json_object_get(json_object_get(c->document, "objects"), object), "fields");
}

const char *
callsync_connector_object(const CallsyncConnector *c, const char *object)
{
	return json_string_value(json_object_get(json_object_get(json_object_get(c->document, "objects"), object), "name"));
}

const json_t *
callsync_connector_mapping(const CallsyncConnector *c)
{
	return json_object_get(c->document, "mapping");
}

char *
callsync_connector_render_text(const CallsyncConnector *c, const char *text, const CallsyncRenderInput *input,
							   CallsyncDocError *err)
{
	CallsyncRenderInput with_vars = *input;
	json_t	   *doc = json_string(text);
	CallsyncTemplate *tmpl;
	char	   *result = NULL;

	if (doc == NULL)
	{
		callsync_doc_error(err, "", NULL, "The text is not valid UTF-8.");
		return NULL;
	}
	with_vars.vars = c->vars;
	tmpl = callsync_template_parse(doc, NULL, "", err);
	json_decref(doc);
	if (tmpl != NULL)
		result = callsync_template_render_text(tmpl, &with_vars, err);
	callsync_template_free(tmpl);
	return result;
}
