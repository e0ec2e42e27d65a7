/* SPDX-License-Identifier: ISC */
/* A flow's tuple as words, which compare faster than its fields. Private to the policy layer. */
#ifndef TUND_POLICY_FLOW_TUPLE_H
#define TUND_POLICY_FLOW_TUPLE_H

#include <tund/base/bytes.h>
#include <tund/policy/flow.h>

enum {
	WORD_SRC_HIGH,
	WORD_SRC_LOW,
	WORD_DST_HIGH,
	WORD_DST_LOW,
	WORD_PORTS, /* source port, destination port, zone, protocol, family */
	TUPLE_WORDS,
};

static inline void flow_pack_tuple(const struct flow_tuple *t, uint64_t word[TUPLE_WORDS])
{
	word[WORD_SRC_HIGH] = get_be64(t->src.bytes);
	word[WORD_SRC_LOW] = get_be64(t->src.bytes + 8);
	word[WORD_DST_HIGH] = get_be64(t->dst.bytes);
	word[WORD_DST_LOW] = get_be64(t->dst.bytes + 8);
	word[WORD_PORTS] = (uint64_t)t->src_port << 48 | (uint64_t)t->dst_port << 32 |
			   (uint64_t)t->zone << 16 | (uint64_t)t->proto << 8 | t->src.family;
}

#endif
