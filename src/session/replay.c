/* SPDX-License-Identifier: ISC */
/*
 * RFC 6479: the window moves by whole words, so nothing is ever shifted; the ring has one word more
 * than the window, since the newest word is filled only in part.
 */
#include "replay.h"

#define WORD_BITS 64

static uint64_t slot_of(uint64_t counter)
{
	return counter / WORD_BITS % REPLAY_WORDS;
}

static uint64_t bit_of(uint64_t counter)
{
	return UINT64_C(1) << (counter % WORD_BITS);
}

bool replay_is_new(const struct replay *replay, uint64_t counter)
{
	if (counter == UINT64_MAX)
		return false;
	if (counter >= replay->next)
		return true;
	if (replay->next - counter > REPLAY_WINDOW)
		return false;
	return !(replay->words[slot_of(counter)] & bit_of(counter));
}

bool replay_is_possible(const struct replay *replay)
{
	uint64_t greatest = replay->next - 1;
	bool is_possible = true;

	if (replay->next == 0)
		greatest = UINT64_MAX;
	else
		is_possible = replay->words[slot_of(greatest)] & bit_of(greatest);
	/* The words in which counters may be set, of which the newest one is full up to `next`. */
	for (uint64_t word = 0; word < REPLAY_WORDS; word++) {
		uint64_t beyond = UINT64_MAX;

		if (replay->next > 0 && word == slot_of(greatest))
			beyond = UINT64_MAX - bit_of(greatest) - (bit_of(greatest) - 1);
		else if (replay->next > 0 &&
			 (word < slot_of(greatest) || greatest / WORD_BITS >= REPLAY_WORDS))
			beyond = 0;
		is_possible &= (replay->words[word] & beyond) == 0;
	}
	return is_possible;
}

/* Makes `counter` the greatest: the words between the old greatest and it become empty. */
static void advance(struct replay *replay, uint64_t counter)
{
	uint64_t newest = replay->next ? (replay->next - 1) / WORD_BITS : 0;
	uint64_t steps = counter / WORD_BITS - newest;

	if (steps > REPLAY_WORDS)
		steps = REPLAY_WORDS;
	for (uint64_t i = 1; i <= steps; i++)
		replay->words[(newest + i) % REPLAY_WORDS] = 0;
	replay->next = counter + 1;
}

bool replay_accept(struct replay *replay, uint64_t counter)
{
	if (!replay_is_new(replay, counter))
		return false;
	if (counter >= replay->next)
		advance(replay, counter);
	replay->words[slot_of(counter)] |= bit_of(counter);
	return true;
}
