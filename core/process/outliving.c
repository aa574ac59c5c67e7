/* SPDX-License-Identifier: MIT */
/* outliving.c: the list of the master's shared objects, and who uses them. */
#include "process/outliving.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct outliving_object {
	struct shared memory; /* first: users know the object by it */
	struct outliving_object *next;
	char name[32];
	uint64_t definition;
	unsigned users;
};

static struct outliving_object *find(const struct outliving *o, const char *name,
				     uint64_t definition, size_t size)
{
	struct outliving_object *at = o->objects;

	while (at && (strcmp(at->name, name) != 0 || at->definition != definition ||
		      at->memory.size != size))
		at = at->next;
	return at;
}

static struct outliving_object *make(const char *name, uint64_t definition, size_t size,
				     struct error *e)
{
	struct outliving_object *new = calloc(1, sizeof *new);
	char label[48];

	if (!new) {
		uwsgi_error_set(e, "out of memory");
		return NULL;
	}
	snprintf(label, sizeof label, "uwsgi-%s", name);
	if (shared_make(&new->memory, label, size, e)) {
		free(new);
		return NULL;
	}
	snprintf(new->name, sizeof new->name, "%s", name);
	new->definition = definition;
	return new;
}

struct shared *outliving_take(struct outliving *o, const char *name, uint64_t definition,
			      size_t size, struct error *e)
{
	char cut[sizeof o->objects->name];

	snprintf(cut, sizeof cut, "%s", name);
	struct outliving_object *object = find(o, cut, definition, size);
	if (!object) {
		object = make(cut, definition, size, e);
		if (!object)
			return NULL;
		object->next = o->objects;
		o->objects = object;
	}
	object->users++;
	return &object->memory;
}

void outliving_give_back(struct outliving *o, struct shared *memory)
{
	struct outliving_object **at = &o->objects;

	while (&(*at)->memory != memory)
		at = &(*at)->next;
	struct outliving_object *object = *at;

	if (--object->users > 0)
		return;
	*at = object->next;
	shared_free(&object->memory);
	free(object);
}

void outliving_enter_child(struct outliving *o)
{
	for (struct outliving_object *at = o->objects; at; at = at->next)
		shared_close_fd(&at->memory);
}

enum { OBJECTS_MAX = 4096 };

static void carry_object(struct outliving_object *o, struct carry *c)
{
	uint64_t size = o->memory.size;
	int own = o->memory.own;
	struct error e;

	carry_text(c, o->name, sizeof o->name);
	carry_u64(c, &o->definition);
	carry_u64(c, &size);
	carry_fd(c, &own);
	if (own < 0)
		carry_fail(c, "the memory of %s cannot be handed over", o->name);
	if (c->reading && !c->failed && shared_take_over(&o->memory, own, size, c->rehearsal, &e))
		carry_fail(c, "%s: %s", o->name, e.text);
}

static void read_object(struct outliving *o, struct carry *c)
{
	struct outliving_object *new = calloc(1, sizeof *new);

	if (!new) {
		carry_fail(c, "out of memory");
		return;
	}
	new->memory = SHARED_NONE;
	new->next = o->objects;
	o->objects = new;
	carry_object(new, c);
}

void outliving_carry(struct outliving *o, struct carry *c)
{
	size_t count = 0;

	for (const struct outliving_object *at = o->objects; !c->reading && at; at = at->next)
		count++;
	count = carry_count(c, count, OBJECTS_MAX);
	for (size_t i = 0; c->reading && i < count && !c->failed; i++)
		read_object(o, c);
	for (struct outliving_object *at = o->objects; !c->reading && at; at = at->next)
		carry_object(at, c);
}

void outliving_settle(struct outliving *o)
{
	struct outliving_object **at = &o->objects;

	while (*at) {
		struct outliving_object *object = *at;

		if (object->users > 0) {
			at = &object->next;
			continue;
		}
		*at = object->next;
		shared_free(&object->memory);
		free(object);
	}
}

void outliving_fini(struct outliving *o)
{
	while (o->objects) {
		struct outliving_object *object = o->objects;

		o->objects = object->next;
		shared_free(&object->memory);
		free(object);
	}
}
