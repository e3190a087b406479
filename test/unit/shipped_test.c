/*
 * shipped_test.c
 *		Every shipped connector document passes its own check, with every preset.
 */
#include "core/connector.h"

#include "unit.h"

#include "connector_load.h"

static void
report(void *arg, bool ok, const char *what, const char *detail)
{
	if (!ok)
		fprintf(stderr, "%s: %s: %s\n", (const char *) arg, what, detail);
	unit_check(ok, what, __FILE__, __LINE__);
}

static void
check(const char *name, const char *overlay)
{
	CallsyncConnector *c = load_connector(__FILE__, name, overlay, NULL);
	CallsyncEnv env = {.now_ms = 0, .region = "US"};

	if (!CHECK(c != NULL))
		return;
	CHECK(callsync_connector_check(c, &env, report, (void *) name) == 0);
	/* each says what it is not sure of */
	CHECK(json_array_size(json_object_get(callsync_connector_document(c), "unconfirmed")) > 0);
	callsync_connector_free(c);
}

int
main(void)
{
	static const char *const names[] = {"hubspot", "salesforce", "pipedrive", "zoho", "dynamics", "webhook", NULL};
	CallsyncDocError err;
	json_t	   *doc;
	json_t	   *over;
	const char *preset;
	json_t	   *any;

	for (int i = 0; names[i] != NULL; i++)
	{
		check(names[i], NULL);
		doc = load_connector_json(__FILE__, names[i]);
		json_object_foreach(json_object_get(doc, "presets"), preset, any)
		{
			char		overlay[100];

			snprintf(overlay, sizeof(overlay), "{\"preset\": \"%s\"}", preset);
			check(names[i], overlay);
		}
		json_decref(doc);
	}
	doc = load_connector_json(__FILE__, "webhook");
	over = load_json("{\"preset\": \"ifttt\"}");
	CHECK(callsync_connector_parse(doc, over, NULL, &err) == NULL);
	CHECK_STR(err.what, "There is no such preset.");
	json_decref(over);
	json_decref(doc);
	return unit_done("shipped");
}
