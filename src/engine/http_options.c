/*
 * http_options.c
 *		See http_options.h.
 */
#include "postgres.h"

#include "engine/http_options.h"
#include "pg/json.h"

void
callsync_http_options_apply(const json_t *options, CallsyncHttpOptions *holder,
							CallsyncHttpRequest *request)
{
	size_t		i;
	json_t	   *entry;
	json_t	   *timeout = json_object_get(options, "timeout_ms");

	holder->nrules = 0;
	json_array_foreach(json_object_get(options, "allow_addresses"), i, entry)
	{
		CallsyncAddressRule rules[2];
		const char *text = json_string_value(entry);
		int			n = text ? callsync_address_rule_parse(rules, text, strlen(text)) : 0;

		for (int k = 0; k < n && holder->nrules < CALLSYNC_HTTP_MAX_RULES; k++)
			holder->rules[holder->nrules++] = rules[k];
	}
	request->allow = holder->rules;
	request->nallow = holder->nrules;
	request->ca_file = callsync_json_string(options, "ca_file");
	request->proxy = callsync_json_string(options, "proxy");
	if (json_is_integer(timeout) && json_integer_value(timeout) > 0 &&
		json_integer_value(timeout) <= PG_INT32_MAX)
		request->timeout_ms = (int) json_integer_value(timeout);
}
