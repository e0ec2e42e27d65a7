/* SPDX-License-Identifier: ISC */
/* Building a spec: strings and arrays in one arena. */
#include <tund/policy/model.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* arena_push() with the types put right. */
#define PUSH(spec, array, count) \
	arena_push(&(spec)->arena, (void **)&(array), &(count), sizeof *(array))

struct policy_spec *policy_spec_new(void)
{
	return calloc(1, sizeof(struct policy_spec));
}

void policy_spec_free(struct policy_spec *spec)
{
	if (!spec)
		return;
	arena_clear(&spec->arena);
	free(spec);
}

static const char *copy_text(struct policy_spec *spec, const char *text)
{
	return arena_strndup(&spec->arena, text, strlen(text));
}

/* `file` may be NULL. */
static int set_place(struct policy_spec *spec, struct spec_place *place, const char *file,
		     uint32_t line)
{
	place->line = line;
	place->file = file ? copy_text(spec, file) : NULL;
	return file && !place->file ? -ENOMEM : 0;
}

static int add_text(struct policy_spec *spec, struct spec_strings *list, const char *text)
{
	const char *copy = copy_text(spec, text);
	const char **item = copy ? PUSH(spec, list->items, list->count) : NULL;

	if (!item)
		return -ENOMEM;
	*item = copy;
	return 0;
}

struct spec_principal *policy_spec_add_principal(struct policy_spec *spec, const char *id,
						 enum principal_kind kind, const char *file,
						 uint32_t line)
{
	struct spec_principal value = {.id = copy_text(spec, id), .kind = kind};
	struct spec_principal *p;

	if (!value.id || set_place(spec, &value.place, file, line) < 0)
		return NULL;
	p = PUSH(spec, spec->principals, spec->principal_count);
	if (p)
		*p = value;
	return p;
}

int policy_spec_add_group(struct policy_spec *spec, struct spec_principal *p, const char *group)
{
	return add_text(spec, &p->groups, group);
}

struct spec_device *policy_spec_add_device(struct policy_spec *spec, struct spec_principal *p,
					   const char *name, const char *file, uint32_t line)
{
	struct spec_device value = {.name = copy_text(spec, name)};
	struct spec_device *d;

	if (!value.name || set_place(spec, &value.place, file, line) < 0)
		return NULL;
	d = PUSH(spec, p->devices, p->device_count);
	if (d)
		*d = value;
	return d;
}

int policy_spec_add_address(struct policy_spec *spec, struct spec_device *d,
			    const struct ip_addr *address)
{
	struct ip_addr *a = PUSH(spec, d->addresses, d->address_count);

	if (!a)
		return -ENOMEM;
	*a = *address;
	return 0;
}

struct spec_route *policy_spec_add_route(struct policy_spec *spec, const struct ip_prefix *prefix,
					 const char *file, uint32_t line)
{
	struct spec_route value = {.prefix = *prefix};
	struct spec_route *r;

	if (set_place(spec, &value.place, file, line) < 0)
		return NULL;
	r = PUSH(spec, spec->routes, spec->route_count);
	if (r)
		*r = value;
	return r;
}

int policy_spec_add_via(struct policy_spec *spec, struct spec_route *r, const char *connector)
{
	return add_text(spec, &r->via, connector);
}

struct spec_rule *policy_spec_add_rule(struct policy_spec *spec, struct spec_route *r,
				       const char *name, const char *file, uint32_t line)
{
	struct spec_rule value = {.name = copy_text(spec, name), .proto = POLICY_PROTO_ANY};
	struct spec_rule *rule;

	if (!value.name || set_place(spec, &value.place, file, line) < 0)
		return NULL;
	rule = PUSH(spec, r->rules, r->rule_count);
	if (rule)
		*rule = value;
	return rule;
}

int policy_spec_add_from(struct policy_spec *spec, struct spec_rule *rule, const char *from)
{
	return add_text(spec, &rule->from, from);
}

int policy_spec_add_ports(struct policy_spec *spec, struct spec_rule *rule, uint16_t first,
			  uint16_t last)
{
	struct spec_ports *ports = PUSH(spec, rule->ports, rule->port_count);

	if (!ports)
		return -ENOMEM;
	*ports = (struct spec_ports){.first = first, .last = last};
	return 0;
}

int policy_spec_add_own(struct policy_spec *spec, const struct ip_addr *address)
{
	struct ip_addr *a = PUSH(spec, spec->own, spec->own_count);

	if (!a)
		return -ENOMEM;
	*a = *address;
	return 0;
}
