/*
 * connector_load.h
 *		Reads a shipped connector document for a unit test, wherever the build runs.
 */
#ifndef CALLSYNC_CONNECTOR_LOAD_H
#define CALLSYNC_CONNECTOR_LOAD_H

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/connector.h"
#include "core/request.h"

static inline json_t *
load_json(const char *text)
{
	json_error_t e;
	json_t	   *v = json_loads(text, JSON_DECODE_ANY, &e);

	if (v == NULL)
		fprintf(stderr, "bad JSON in the test: %.200s: %s at %d\n", text, e.text, e.position);
	return v;
}

/* The test's own file name leads to the project's root. */
static inline json_t *
load_connector_json(const char *test_file, const char *name)
{
	char		path[1000];
	const char *at = strstr(test_file, "test/unit/");
	json_error_t e;
	json_t	   *doc;

	snprintf(path, sizeof(path), "%.*ssql/connectors/%s.json", at ? (int) (at - test_file) : 0, test_file, name);
	doc = json_load_file(path, JSON_REJECT_DUPLICATES, &e);
	if (doc == NULL)
		fprintf(stderr, "%s:%d: %s\n", path, e.line, e.text);
	return doc;
}

static inline CallsyncConnector *
load_connector(const char *test_file, const char *name, const char *overlay, const char *base_url)
{
	json_t	   *doc = load_connector_json(test_file, name);
	json_t	   *over = overlay ? load_json(overlay) : NULL;
	CallsyncDocError err = {"", "", ""};
	CallsyncConnector *c = doc ? callsync_connector_parse(doc, over, base_url, &err) : NULL;

	if (c == NULL)
		fprintf(stderr, "%s: %s: %s %s\n", name, err.path, err.what, err.hint);
	json_decref(doc);
	json_decref(over);
	return c;
}

/* "METHOD url\nheader: value\n...\n\nbody"; or "error: ..." */
static inline const char *
show_request(const CallsyncConnector *c, const char *op_name, const json_t *context, CallsyncRenderMode mode, const CallsyncEnv *env)
{
	static char text[20000];
	const CallsyncOp *op = callsync_connector_op(c, op_name);
	CallsyncRenderInput input = {.context = context, .env = env, .mode = mode};
	CallsyncRequest request;
	CallsyncDocError err;
	size_t		n;

	if (op == NULL)
		return "(no such operation)";
	if (!callsync_request_render(c, op, &input, NULL, &request, &err))
	{
		snprintf(text, sizeof(text), "error: %s: %s", err.path, err.what);
		return text;
	}
	n = (size_t) snprintf(text, sizeof(text), "%s %s\n", request.method, request.url);
	if (request.content_type)
		n += (size_t) snprintf(text + n, sizeof(text) - n, "Content-Type: %s\n", request.content_type);
	for (int i = 0; i < request.nheaders; i++)
		n += (size_t) snprintf(text + n, sizeof(text) - n, "%s: %s\n", request.headers[i].name, request.headers[i].value);
	if (request.body)
		snprintf(text + n, sizeof(text) - n, "\n%s", request.body);
	callsync_request_free(&request);
	return text;
}

#endif
