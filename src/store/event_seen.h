/*
 * event_seen.h
 *		Which webhooks have arrived already: the guard that makes a second arrival a
 *		no-op, also when both arrive at the same instant.
 */
#ifndef CALLSYNC_STORE_EVENT_SEEN_H
#define CALLSYNC_STORE_EVENT_SEEN_H

#define CALLSYNC_SEEN_KEY_LEN 16

/*
 * Remembers key for event_id and returns 0, or returns the id of the event that
 * has it and tells whether that one's body was the same (digest: SHA-256). Waits
 * for a concurrent transaction that has the same key. Needs a transaction;
 * connects to SPI itself.
 */
extern int64 callsync_event_seen(const unsigned char key[CALLSYNC_SEEN_KEY_LEN], int64 event_id,
								 const unsigned char digest[32], bool *same_body);

#endif
