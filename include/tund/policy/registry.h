/* SPDX-License-Identifier: ISC */
/*
 * The devices, apart from the rules: who they are, which addresses they hold and in which groups
 * their principals are. One is added, changed or removed at a time, at a cost that does not depend
 * on how many there are; nothing is compiled for it, and each change gives that device a generation
 * of its own, so that only its flows are judged anew.
 *
 * One thread, the owner, makes changes. Any number of others read without a lock: what they find
 * they may use until they leave the epoch that they entered (base/epoch.h). An entry never changes;
 * a change puts another in its place. A change is prepared first, which may fail, and then
 * committed, which cannot.
 */
#ifndef TUND_POLICY_REGISTRY_H
#define TUND_POLICY_REGISTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <tund/base/epoch.h>
#include <tund/policy/model.h>

#define DEVICE_NONE UINT32_MAX
#define REGISTRY_MAX (UINT32_C(1) << 23) /* device numbers; POLICY_MAX_* need half of it */

struct registry;
struct registry_entry; /* that is not in force yet */

/* A device as it is now. What a packet's verdict needs stands in front. */
struct registry_device {
	uint32_t number;
	uint32_t generation; /* of its last change; no two changes have the same */
	uint32_t principal;  /* number of its principal, kind and id */
	enum principal_kind kind;
	uint32_t order;       /* its place among the devices of its principal */
	uint16_t zone;        /* as in `spec` */
	uint16_t group_words; /* in `groups` */
	uint64_t first_groups;  /* a bit for each group that a rule has named: the first 64, */
	const uint64_t *groups; /* and all */
	void *user;             /* as it was committed with */
	const struct spec_device *spec; /* a copy, with the preshared key */
	const char *id;                 /* of its principal */
};

/* Whether its principal is in the group with this bit. */
static inline bool registry_in_group(const struct registry_device *d, uint32_t bit)
{
	if (bit < 64)
		return d->first_groups >> bit & 1;
	return bit / 64 < d->group_words && (d->groups[bit / 64] >> bit % 64 & 1);
}

/* `epoch` is what its readers enter, borrowed; NULL: there are none, old entries are freed at once.
 * NULL: out of memory. */
struct registry *registry_new(struct epoch *epoch);
/* No reader and no prepared change may be left. NULL is allowed. */
void registry_free(struct registry *r);

/* The device with this number; NULL: there is none. Any thread. */
const struct registry_device *registry_device(const struct registry *r, uint32_t number);

/* Whether a device holds this address as its own. Any thread. */
bool registry_holds(const struct registry_device *d, const struct ip_addr *a);

/* The device that holds this address as its own, or NULL. Any thread. */
const struct registry_device *registry_by_address(const struct registry *r, uint32_t zone,
						  const struct ip_addr *a);

/* Changes behind every change. What is looked up after this was read holds as long as it is the
 * same. Any thread. */
uint32_t registry_version(const struct registry *r);

/* The rest: the owner's thread. */

/* The device with this public key (not secret: no constant time), or NULL. */
const struct registry_device *registry_by_key(const struct registry *r,
					      const uint8_t key[KEY_SIZE]);

/* One more than the greatest number that ever was in use, and how many devices there are. */
uint32_t registry_limit(const struct registry *r);
uint32_t registry_count(const struct registry *r);

/*
 * Prepares that the device at `position` of `p` is as it is there: added, or changed if its key is
 * known. *out is NULL if nothing would change, else the caller's until it is committed or
 * discarded. A device keeps its number while it is there; one that is given up rests a while.
 * -ENOMEM; -ENOSPC: too many devices.
 */
int registry_prepare(struct registry *r, const struct spec_principal *p, size_t position,
		     struct registry_entry **out);

/* What the device was, NULL if it is new, and what it will be; its generation is not known yet. */
const struct registry_device *registry_before(const struct registry_entry *change);
const struct registry_device *registry_after(const struct registry_entry *change);

/* What `user` of the entry will be; it is that of the entry before, until this is called. */
void registry_set_user(struct registry_entry *change, void *user);

/* Puts a change in force: no other may have been committed for this device since it was prepared.
 * Consumes it. */
void registry_commit(struct registry *r, struct registry_entry *change);
void registry_discard(struct registry *r, struct registry_entry *change);

/* Whether the device stays the same to rules that know the first `groups` groups only. */
bool registry_is_same_to(const struct registry_entry *change, uint32_t groups);

/* Until its next change is committed, nothing comes from the device: it is not found by its number. */
void registry_suspend(struct registry *r, uint32_t number);

/* Removes a device. */
void registry_remove(struct registry *r, uint32_t number);

/* The bit of a group, and the number of a principal, that a rule names; both are kept for good. A
 * device that is in the group has the bit after it was prepared again. UINT32_MAX: no memory. */
uint32_t registry_group(struct registry *r, const char *group);
/* How many bits there are. */
uint32_t registry_group_count(const struct registry *r);
uint32_t registry_principal(struct registry *r, enum principal_kind kind, const char *id);

#endif
