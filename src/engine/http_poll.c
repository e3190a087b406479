/*
 * http_poll.c
 *		See http_poll.h.
 *
 * With epoll the sockets sit in an epoll instance of our own, and that one sits in
 * the WaitEventSet next to the latch: the set is built once, and a busy
 * connection costs no system call between two requests, because a socket that
 * libcurl does not want any more stays registered until it really reports
 * something unasked. Elsewhere the WaitEventSet is rebuilt when the table changes.
 *
 * What a newcomer gets wrong: a closed descriptor leaves an epoll instance by
 * itself, and the next socket gets the same number. callsync_poll_closed() is
 * what keeps the table true. libcurl's resolver opens descriptors that we are not
 * told of: those are taken out at once when they are not wanted any more.
 */
#include "postgres.h"

#if defined(HAVE_SYS_EPOLL_H) && !defined(CALLSYNC_NO_EPOLL)
#include <sys/epoll.h>
#include <unistd.h>
#define USE_EPOLL
#endif

#include "miscadmin.h"
#include "storage/fd.h"
#include "storage/latch.h"

#include "engine/http_poll.h"
#include "pg/compat.h"

#define EVENTS_AT_ONCE 256

typedef struct Entry
{
	uint8		want;
	uint8		registered;		/* with the kernel (epoll only) */
	bool		ours;			/* closing will be told */
	bool		listed;			/* in the list of changes */
} Entry;

struct CallsyncPoll
{
	MemoryContext context;
	Entry	   *entries;		/* by descriptor; malloc'ed */
	int			nentries;
	int		   *changes;		/* descriptors to look at before waiting; malloc'ed */
	int			nchanges;
	int			max_changes;
	WaitEventSet *set;
	uint32		wait_event;
#ifdef USE_EPOLL
	int			epfd;
#else
	bool		dirty;			/* the set does not show the table */
#endif
};

/* The entry of a descriptor, made where it is missing; NULL: out of memory. */
static Entry *
entry_of(CallsyncPoll *poll, int fd)
{
	if (fd >= poll->nentries)
	{
		int			n = poll->nentries == 0 ? 64 : poll->nentries;
		Entry	   *bigger;

		while (n <= fd)
			n *= 2;
		bigger = realloc(poll->entries, n * sizeof(Entry));
		if (bigger == NULL)
			return NULL;
		memset(bigger + poll->nentries, 0, (n - poll->nentries) * sizeof(Entry));
		poll->entries = bigger;
		poll->nentries = n;
	}
	return &poll->entries[fd];
}

bool
callsync_poll_opened(CallsyncPoll *poll, int fd)
{
	Entry	   *entry = entry_of(poll, fd);

	if (entry == NULL)
		return false;
	entry->ours = true;
	entry->want = 0;
	entry->registered = 0;
	return true;
}

void
callsync_poll_closed(CallsyncPoll *poll, int fd)
{
	if (fd < poll->nentries)
	{
		Entry	   *entry = &poll->entries[fd];

		entry->ours = false;
		entry->want = 0;
		entry->registered = 0;
	}
#ifndef USE_EPOLL
	poll->dirty = true;
#endif
}

#ifdef USE_EPOLL

static bool
note_change(CallsyncPoll *poll, Entry *entry, int fd)
{
	if (entry->listed)
		return true;
	if (poll->nchanges == poll->max_changes)
	{
		int			n = poll->max_changes == 0 ? 64 : 2 * poll->max_changes;
		int		   *bigger = realloc(poll->changes, n * sizeof(int));

		if (bigger == NULL)
			return false;
		poll->changes = bigger;
		poll->max_changes = n;
	}
	poll->changes[poll->nchanges++] = fd;
	entry->listed = true;
	return true;
}

CallsyncPoll *
callsync_poll_create(MemoryContext context)
{
	CallsyncPoll *poll = MemoryContextAllocZero(context, sizeof(CallsyncPoll));

	poll->context = context;
	if (!AcquireExternalFD())
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_RESOURCES),
				 errmsg("could not reserve a file descriptor"),
				 errhint("Increase max_files_per_process.")));
	poll->epfd = epoll_create1(EPOLL_CLOEXEC);
	if (poll->epfd < 0)
	{
		int			save_errno = errno;

		ReleaseExternalFD();
		errno = save_errno;
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_RESOURCES),
				 errmsg("could not create an epoll instance: %m")));
	}
	poll->set = callsync_create_wait_event_set(context, 3);
	AddWaitEventToSet(poll->set, WL_LATCH_SET, PGINVALID_SOCKET, MyLatch, NULL);
	AddWaitEventToSet(poll->set, WL_EXIT_ON_PM_DEATH, PGINVALID_SOCKET, NULL, NULL);
	AddWaitEventToSet(poll->set, WL_SOCKET_READABLE, poll->epfd, NULL, NULL);
	return poll;
}

void
callsync_poll_destroy(CallsyncPoll *poll)
{
	FreeWaitEventSet(poll->set);
	close(poll->epfd);
	ReleaseExternalFD();
	free(poll->entries);
	free(poll->changes);
	pfree(poll);
}

bool
callsync_poll_want(CallsyncPoll *poll, int fd, int events)
{
	Entry	   *entry = entry_of(poll, fd);

	if (entry == NULL)
		return false;
	entry->want = events;
	if (events != 0)
		return entry->registered == events || note_change(poll, entry, fd);

	/* the resolver's: its number may be another socket's before we wait again */
	if (!entry->ours && entry->registered != 0)
	{
		(void) epoll_ctl(poll->epfd, EPOLL_CTL_DEL, fd, NULL);
		entry->registered = 0;
	}
	return true;
}

static uint32
to_epoll(int events)
{
	return ((events & CALLSYNC_POLL_IN) ? EPOLLIN : 0) |
		((events & CALLSYNC_POLL_OUT) ? EPOLLOUT : 0);
}

/* Tells the kernel what has changed since the last wait. */
static void
apply_changes(CallsyncPoll *poll)
{
	for (int i = 0; i < poll->nchanges; i++)
	{
		int			fd = poll->changes[i];
		Entry	   *entry = &poll->entries[fd];
		struct epoll_event event = {.events = to_epoll(entry->want), .data.fd = fd};
		int			op = entry->registered ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;

		entry->listed = false;
		if (entry->want == 0 || entry->want == entry->registered)
			continue;
		if (epoll_ctl(poll->epfd, op, fd, &event) != 0)
		{
			/* should not be; but a socket that is not watched would hang */
			op = errno == EEXIST ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
			if (epoll_ctl(poll->epfd, op, fd, &event) != 0)
			{
				elog(LOG, "could not watch socket %d: %m", fd);
				entry->registered = 0;
				continue;
			}
		}
		entry->registered = entry->want;
	}
	poll->nchanges = 0;
}

int
callsync_poll_wait(CallsyncPoll *poll, int64 timeout_ms,
				   CallsyncPollReady *ready, int max, bool *woken)
{
	WaitEvent	occurred[3];
	struct epoll_event events[EVENTS_AT_ONCE];
	int			noccurred;
	int			nevents;
	int			nready = 0;
	bool		sockets = false;

	apply_changes(poll);
	*woken = false;
	noccurred = WaitEventSetWait(poll->set, (long) timeout_ms, occurred, lengthof(occurred),
								 callsync_wait_event(&poll->wait_event, "CallsyncHttp"));
	for (int i = 0; i < noccurred; i++)
	{
		if (occurred[i].events & WL_LATCH_SET)
		{
			ResetLatch(MyLatch);
			*woken = true;
		}
		if (occurred[i].events & WL_SOCKET_READABLE)
			sockets = true;
	}

	/* 15 reports the latch alone where both are ready; a look costs little */
	if (!sockets && !*woken)
		return 0;
	nevents = epoll_wait(poll->epfd, events, Min(max, EVENTS_AT_ONCE), 0);
	for (int i = 0; i < nevents; i++)
	{
		int			fd = events[i].data.fd;
		Entry	   *entry = &poll->entries[fd];

		if (entry->want == 0)
		{
			/* an idle connection that says something (the peer closes it) */
			(void) epoll_ctl(poll->epfd, EPOLL_CTL_DEL, fd, NULL);
			entry->registered = 0;
			continue;
		}
		ready[nready].fd = fd;
		ready[nready].events =
			((events[i].events & EPOLLIN) ? CALLSYNC_POLL_IN : 0) |
			((events[i].events & EPOLLOUT) ? CALLSYNC_POLL_OUT : 0) |
			((events[i].events & (EPOLLERR | EPOLLHUP)) ? CALLSYNC_POLL_ERR : 0);
		nready++;
	}
	return nready;
}

#else							/* no epoll: the set is rebuilt when the table changes */

CallsyncPoll *
callsync_poll_create(MemoryContext context)
{
	CallsyncPoll *poll = MemoryContextAllocZero(context, sizeof(CallsyncPoll));

	poll->context = context;
	poll->dirty = true;
	return poll;
}

void
callsync_poll_destroy(CallsyncPoll *poll)
{
	if (poll->set != NULL)
		FreeWaitEventSet(poll->set);
	free(poll->entries);
	free(poll->changes);
	pfree(poll);
}

bool
callsync_poll_want(CallsyncPoll *poll, int fd, int events)
{
	Entry	   *entry = entry_of(poll, fd);

	if (entry == NULL)
		return false;
	if (entry->want != events || !entry->ours)
		poll->dirty = true;
	entry->want = events;
	return true;
}

static void
rebuild(CallsyncPoll *poll)
{
	int			n = 0;

	if (poll->set != NULL)
		FreeWaitEventSet(poll->set);
	poll->set = NULL;
	for (int fd = 0; fd < poll->nentries; fd++)
		n += poll->entries[fd].want != 0;
	poll->set = callsync_create_wait_event_set(poll->context, n + 2);
	AddWaitEventToSet(poll->set, WL_LATCH_SET, PGINVALID_SOCKET, MyLatch, NULL);
	AddWaitEventToSet(poll->set, WL_EXIT_ON_PM_DEATH, PGINVALID_SOCKET, NULL, NULL);
	for (int fd = 0; fd < poll->nentries; fd++)
	{
		int			want = poll->entries[fd].want;

		if (want != 0)
			AddWaitEventToSet(poll->set,
							  ((want & CALLSYNC_POLL_IN) ? WL_SOCKET_READABLE : 0) |
							  ((want & CALLSYNC_POLL_OUT) ? WL_SOCKET_WRITEABLE : 0),
							  fd, NULL, NULL);
	}
	poll->dirty = false;
}

int
callsync_poll_wait(CallsyncPoll *poll, int64 timeout_ms,
				   CallsyncPollReady *ready, int max, bool *woken)
{
	WaitEvent	occurred[EVENTS_AT_ONCE];
	int			noccurred;
	int			nready = 0;

	if (poll->dirty)
		rebuild(poll);
	*woken = false;
	noccurred = WaitEventSetWait(poll->set, (long) timeout_ms, occurred,
								 Min(max, EVENTS_AT_ONCE),
								 callsync_wait_event(&poll->wait_event, "CallsyncHttp"));
	for (int i = 0; i < noccurred; i++)
	{
		if (occurred[i].events & WL_LATCH_SET)
		{
			ResetLatch(MyLatch);
			*woken = true;
			continue;
		}
		ready[nready].fd = occurred[i].fd;
		ready[nready].events =
			((occurred[i].events & WL_SOCKET_READABLE) ? CALLSYNC_POLL_IN : 0) |
			((occurred[i].events & WL_SOCKET_WRITEABLE) ? CALLSYNC_POLL_OUT : 0);
		nready++;
	}
	return nready;
}

#endif
