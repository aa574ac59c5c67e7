/* SPDX-License-Identifier: MIT */
/* shape.c: the environs of requests that have the same variables begin as copies of one dict that has
 * their names.  Copying costs a third of inserting one by one, and a variable whose value is the one
 * of that dict is done.  A lane's own; a few, since kinds of clients differ in what they send.  What
 * was asked for once only leaves nothing here. */
#include "internal.h"

#include <stdlib.h>

enum { SHAPES = 16, VARS_MAX = 64 };

struct shape {
	uint64_t seen; /* of the variables that were last not found here; 0: none were */
	PyObject *env; /* NULL: none yet */
	size_t count;
	PyObject *names[VARS_MAX], *values[VARS_MAX]; /* env has them */
	bool plain;                                   /* none of them is telling */
};

struct shapes {
	struct shape *last; /* NULL, or the one that the next request is probably like, too */
	struct shape at[SHAPES];
};

struct shapes *shapes_new(void)
{
	return calloc(1, sizeof(struct shapes));
}

void shapes_free(struct shapes *shapes)
{
	for (size_t i = 0; shapes && i < SHAPES; i++)
		Py_XDECREF(shapes->at[i].env);
	free(shapes);
}

static bool has_these(const struct shape *shape, const struct var *vars, size_t count)
{
	if (!shape->env || shape->count != count)
		return false;
	for (size_t i = 0; i < count; i++)
		if (!latin1_is(shape->names[i], vars[i].name))
			return false;
	return true;
}

/* It only has to tell kinds of clients apart: lengths and the ends of names do. */
static uint64_t hash_of(const struct var *vars, size_t count)
{
	uint64_t hash = count + 1;

	for (size_t i = 0; i < count; i++) {
		struct slice name = vars[i].name;
		uint64_t end = 0;

		memcpy(&end, name.p + (name.n > sizeof end ? name.n - sizeof end : 0),
		       name.n < sizeof end ? name.n : sizeof end);
		hash = (hash ^ end ^ name.n << 56) * 0x9e3779b97f4a7c15u;
		hash ^= hash >> 32;
	}
	return hash;
}

/* A name may come twice, and then the last value counts: no shape can tell. */
static int add(struct shape *shape, PyObject *env, const struct kept *kept)
{
	PyObject *value = kept->value;

	for (size_t i = 0; i < shape->count; i++)
		if (shape->names[i] == kept->name)
			return -1;
	if (value)
		Py_INCREF(value);
	else
		value = PyUnicode_New(0, 0);
	shape->names[shape->count] = kept->name;
	shape->values[shape->count++] = value;
	return put_new(env, kept->name, value);
}

static void learn(struct shape *shape, const struct lane *lane, const struct var *vars,
		  size_t count)
{
	PyObject *env = PyDict_Copy(lane->template);
	int failed = !env;

	Py_CLEAR(shape->env);
	shape->count = 0;
	shape->plain = true;
	for (size_t i = 0; !failed && i < count; i++) {
		const struct kept *kept = key_cache_find(lane->python->keys, vars[i].name);

		failed = !kept || add(shape, env, kept);
		shape->plain &= !environ_is_telling(vars[i].name);
	}
	if (failed) {
		Py_CLEAR(env);
		PyErr_Clear();
	}
	shape->env = env;
}

/* The shape of these variables, or NULL.  Those that come a second time will have one. */
static struct shape *find(const struct lane *lane, const struct var *vars, size_t count)
{
	uint64_t hash = hash_of(vars, count);
	struct shape *shape = &lane->shapes->at[hash % SHAPES];

	if (has_these(shape, vars, count)) {
		shape->seen = 0;
		return shape;
	}
	if (shape->seen == hash)
		learn(shape, lane, vars, count);
	shape->seen = hash;
	return NULL;
}

PyObject *shape_environ(const struct lane *lane, const struct var *vars, size_t count, bool *plain)
{
	struct shapes *shapes = lane->shapes;

	if (!shapes || count > VARS_MAX)
		return NULL;
	if (!shapes->last || !has_these(shapes->last, vars, count))
		shapes->last = find(lane, vars, count);
	const struct shape *shape = shapes->last;
	PyObject *env = shape ? PyDict_Copy(shape->env) : NULL;
	for (size_t i = 0; env && i < count; i++)
		if (!latin1_is(shape->values[i], vars[i].value) &&
		    key_cache_set(lane->python->keys, env, &vars[i]))
			Py_CLEAR(env);
	*plain = shape && shape->plain;
	return env;
}
