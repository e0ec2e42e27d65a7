/* SPDX-License-Identifier: ISC */
/*
 * The words for what a policy is made of: one table for each, which the parser of files, the
 * questions on the command line, the answers and the status all read. Constants only; any thread.
 */
#ifndef TUND_POLICY_WORDS_H
#define TUND_POLICY_WORDS_H

#include <stdint.h>

#include <tund/policy/model.h>

/* By their enum, each list ended by NULL. */
extern const char *const word_kinds[];   /* enum principal_kind: "user", "connector", "service" */
extern const char *const word_actions[]; /* enum policy_action: "accept", "reject", "drop" */

/* What a rule's protocol may be called, "any" first; ended by NULL. */
extern const char *const word_rule_protos[];

/* The number of word_rule_protos[i]: 0..255, POLICY_PROTO_ANY or POLICY_PROTO_ICMP. */
uint16_t word_rule_proto(int i);

/* What a packet's protocol may be called, for messages. */
#define WORD_PROTOS "tcp, udp, icmp, sctp, gre, esp"

/*
 * The protocol of a packet of this address family, 4 or 6: one of WORD_PROTOS ("icmp" is the
 * family's own), or a decimal number 0..255. -EINVAL; *out is then untouched.
 */
int word_proto_parse(const char *text, uint8_t family, uint8_t *out);

/* For people: one of WORD_PROTOS, or "protocol 99". Returns buf or a constant. */
#define WORD_PROTO_STRLEN 16
const char *word_proto_text(uint8_t proto, char buf[WORD_PROTO_STRLEN]);

#endif
