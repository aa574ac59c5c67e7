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

struct shared *outliving_take(struct outliving *o, const char *name, uint64_t definition, size_t size,
			      struct error *e)
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

void outliving_fini(struct outliving *o)
{
	while (o->objects) {
		struct outliving_object *object = o->objects;

		o->objects = object->next;
		shared_free(&object->memory);
		free(object);
	}
}
