/* SPDX-License-Identifier: ISC */
/* The texts of a rule's `from`: "any", "group:G", "user:ID", ... Private to the policy layer. */
#ifndef TUND_POLICY_MODEL_SELECTOR_H
#define TUND_POLICY_MODEL_SELECTOR_H

#include <tund/policy/model.h>

enum selector_kind { SELECTOR_ANY, SELECTOR_GROUP, SELECTOR_PRINCIPAL };

struct selector {
	enum selector_kind kind;
	enum principal_kind principal; /* PRINCIPAL only: the kind that was written */
	const char *name;              /* of the group or principal; borrowed */
};

/* -EINVAL: none of the forms. */
int selector_parse(const char *text, struct selector *out);

#endif
