/*
 * jansson_object.c
 *		A new JSON object without calling json_object() by that name; see pg/jansson_server.h.
 */
#include <jansson.h>

extern json_t *callsync_json_object(void);
extern json_t *__wrap_json_object(void) __attribute__((visibility("hidden")));

json_t *
callsync_json_object(void)
{
	/* jansson calls its own function directly, not through the dynamic symbol */
	return json_pack("{}");
}

json_t *
__wrap_json_object(void)
{
	return callsync_json_object();
}
