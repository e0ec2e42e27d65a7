/* SPDX-License-Identifier: ISC */
/*
 * What a reload waits for: loader, parent and engine are asked in turn, and each says yes or no to
 * the whole. Only when all said yes it is in force everywhere; at the first no nothing has changed
 * anywhere. No other process has a say, for none may stop a revocation. An engine that says nothing
 * for RELOAD_SILENCE_NS has none, either: it is killed, and starts again with the new configuration.
 * Pure, but for the time that it is told.
 */
#ifndef TUND_PARENT_RELOAD_H
#define TUND_PARENT_RELOAD_H

#include <stdbool.h>
#include <stdint.h>

#include <tund/base/time.h>

#define RELOAD_SILENCE_NS (5 * NS_PER_SEC)
#define RELOAD_TEXT_MAX 4096 /* bytes, NUL included */

/* In the order in which they are asked. */
enum reload_voter { RELOAD_LOADER, RELOAD_PARENT, RELOAD_ENGINE, RELOAD_NOBODY };

/* What the caller is to do now. */
enum reload_action {
	RELOAD_WAIT,   /* nothing: there is none, or somebody still thinks */
	RELOAD_ASK,    /* the voter `asked`, who answers by reload_vote(), at once or later */
	RELOAD_COMMIT, /* it is in force: tell all, then reload_finish(); kills a `silent` engine */
	RELOAD_REFUSE, /* forget it and tell `text`, then reload_finish() */
};

struct reload {
	bool is_under_way;
	bool again;              /* asked for once more since it began */
	enum reload_voter asked; /* whose answer is awaited */
	uint64_t deadline_ns;    /* for that of the engine */
	bool silent;             /* it did not answer */
	int error;               /* of who refused: 0 or -errno */
	char text[RELOAD_TEXT_MAX]; /* and why, for people */
};

/* Somebody wants one. RELOAD_WAIT where one is under way: it is done once more when that one has
 * come to its end, for the files may have changed since. */
enum reload_action reload_begin(struct reload *r, uint64_t now_ns);

/*
 * `voter` answers: 0, or -errno with the reason, which is copied. An answer that is not awaited is
 * ignored.
 */
enum reload_action reload_vote(struct reload *r, enum reload_voter voter, int error,
			       const char *text, uint64_t now_ns);

/* The engine has ended: if it was asked, that is a no. */
enum reload_action reload_engine_ended(struct reload *r, uint64_t now_ns);

/* When reload_tick() has something to say; TIME_NEVER: not. */
uint64_t reload_due(const struct reload *r);

/* The time has come: the engine is silent. */
enum reload_action reload_tick(struct reload *r, uint64_t now_ns);

/* It has come to its end. True: it is to begin once more, and whoever waits for the outcome waits
 * for that one's. */
bool reload_finish(struct reload *r);

#endif
