/*
 * match_train.h
 *		A model of a destination's own calls.
 */
#ifndef CALLSYNC_STORE_MATCH_TRAIN_H
#define CALLSYNC_STORE_MATCH_TRAIN_H

/*
 * Learns from the newest calls and from reviewers' verdicts and stores the result
 * as a new, inactive version; returns its number.
 */
extern int	callsync_match_train(const char *destination);

#endif
