/*
 * preset.h
 *		The preset and the secrets of a webhook source, read once per process.
 */
#ifndef CALLSYNC_STORE_PRESET_H
#define CALLSYNC_STORE_PRESET_H

#include "core/preset.h"
#include "core/signature.h"

/*
 * Inside a transaction. NULL: there is no such source, or its kind takes no
 * webhooks. ERROR where the preset's document or the source's options are bad. The
 * result lives until the source or its kind changes: not beyond the transaction.
 */
extern const CallsyncPreset *callsync_preset_get(const char *source);

/* A source as the front door needs it. Lives as long as the preset does. */
typedef struct CallsyncSource
{
	const CallsyncPreset *preset;	/* NULL: its kind takes no webhooks */
	int			nsecrets;
	const CallsyncSecretValue *secrets;
} CallsyncSource;

/* False: no such source. Connects to SPI itself where it has to decrypt. */
extern bool callsync_source_find(const char *source, CallsyncSource *found);

/*
 * Compiles a preset or raises 22023 about "subject" with what is wrong. The caller
 * owns the result.
 */
extern CallsyncPreset *callsync_preset_compile(const char *subject, const json_t *document, const json_t *options);

#endif
