/*
 * unit.h
 *		The few lines that a unit test of row 0 needs.
 *
 * Each test is a plain program: CHECK() counts, unit_done() prints
 * "NAME: N passed, N failed" and gives the exit code.
 */
#ifndef CALLSYNC_UNIT_H
#define CALLSYNC_UNIT_H

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static int	unit_passed;
static int	unit_failed;

static inline bool
unit_check(bool ok, const char *what, const char *file, int line)
{
	if (ok)
		unit_passed++;
	else
	{
		unit_failed++;
		fprintf(stderr, "%s:%d: failed: %s\n", file, line, what);
	}
	return ok;
}

#define CHECK(cond) unit_check((cond), #cond, __FILE__, __LINE__)
#define CHECK_STR(got, want) \
	do { \
		const char *got_ = (got); \
		const char *want_ = (want); \
		if (!unit_check(got_ != NULL && strcmp(got_, want_) == 0, #got " = " #want, __FILE__, __LINE__)) \
			fprintf(stderr, "    got  \"%s\"\n    want \"%s\"\n", got_ ? got_ : "(null)", want_); \
	} while (0)

static inline int
unit_done(const char *name)
{
	printf("%s: %d passed, %d failed\n", name, unit_passed, unit_failed);
	return unit_failed == 0 && unit_passed > 0 ? 0 : 1;
}

#endif
