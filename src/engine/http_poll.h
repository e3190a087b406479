/*
 * http_poll.h
 *		Which sockets to watch, and the one wait for sockets, latch and postmaster.
 *
 * callsync_poll_opened(), _want() and _closed() are called from libcurl's callbacks:
 * they only record, never raise, and use malloc.
 */
#ifndef CALLSYNC_ENGINE_HTTP_POLL_H
#define CALLSYNC_ENGINE_HTTP_POLL_H

#define CALLSYNC_POLL_IN	0x1
#define CALLSYNC_POLL_OUT	0x2
#define CALLSYNC_POLL_ERR	0x4 /* only reported */

typedef struct CallsyncPoll CallsyncPoll;

typedef struct CallsyncPollReady
{
	int			fd;
	int			events;
} CallsyncPollReady;

extern CallsyncPoll *callsync_poll_create(MemoryContext context);
extern void callsync_poll_destroy(CallsyncPoll *poll);

/* A socket that we opened ourselves; its closing will be told, too. */
extern bool callsync_poll_opened(CallsyncPoll *poll, int fd);
extern void callsync_poll_closed(CallsyncPoll *poll, int fd);

/* Watch fd for these events from now on; 0 = not any more. False: out of memory. */
extern bool callsync_poll_want(CallsyncPoll *poll, int fd, int events);

/*
 * Waits until a socket is ready, MyLatch is set or timeout_ms is over (-1 = no
 * limit). Returns the number of ready sockets written to "ready". *woken tells
 * whether the latch was set; it is reset then. Ends the process when the
 * postmaster is dead.
 */
extern int	callsync_poll_wait(CallsyncPoll *poll, int64 timeout_ms,
							   CallsyncPollReady *ready, int max, bool *woken);

#endif
