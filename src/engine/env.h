/*
 * env.h
 *		Moved to row 1, for row 3 uses it, too: pg/env.h.
 */
#ifndef CALLSYNC_ENGINE_ENV_H
#define CALLSYNC_ENGINE_ENV_H

#include "pg/env.h"

#endif
