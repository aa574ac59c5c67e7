/* SPDX-License-Identifier: MIT */
/* mount.c: several applications in one interpreter, each below a path of its own.  Loaded where
 * the application is; wsgi.c asks for each request. */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

int mount_valid(const char *text, struct error *e)
{
	const char *equals = strchr(text, '=');

	return equals && equals[1] ? 0
				   : uwsgi_error_set(e, "expected /path=module:callable or "
							"/path=file.py");
}

static bool ends_with(struct slice s, const char *end)
{
	size_t n = strlen(end);

	return s.n >= n && !memcmp(s.p + s.n - n, end, n);
}

/* A file, with or without ":callable" behind it, else a module. */
static PyObject *load_one(const char *text, const char *callable, struct error *e)
{
	const char *colon = strrchr(text, ':');
	struct slice before = { text, colon ? (size_t)(colon - text) : strlen(text) };
	bool is_file = ends_with(before, ".py") || ends_with(before, ".wsgi");
	char *file = is_file ? strndup(before.p, before.n) : NULL;
	const struct source from = {
		.module = file ? NULL : text,
		.file = file,
		.callable = file && colon && colon[1] ? colon + 1 : callable,
	};
	PyObject *application = loader_load(&from, e);

	free(file);
	return application;
}

int mount_load(struct python *py, struct error *e)
{
	const struct option_list *list = &py->settings->mounts;

	py->mounts = list->count ? calloc(list->count, sizeof *py->mounts) : NULL;
	if (list->count && !py->mounts)
		return uwsgi_error_set(e, "out of memory");
	for (size_t i = 0; i < list->count; i++) {
		const char *text = list->items[i];
		struct mount *m = &py->mounts[py->mount_count];

		m->path = (struct slice){ text, strcspn(text, "=") };
		while (m->path.n > 0 && text[m->path.n - 1] == '/')
			m->path.n--;
		m->application = load_one(strchr(text, '=') + 1, py->settings->callable, e);
		if (!m->application)
			return -1;
		py->mount_count++;
	}
	return 0;
}

static bool is_below(struct slice path, struct slice mount)
{
	return path.n >= mount.n && !memcmp(path.p, mount.p, mount.n) &&
	       (path.n == mount.n || path.p[mount.n] == '/');
}

/* The longest mount below which the path lies. */
static const struct mount *find_path(const struct python *py, struct slice path)
{
	const struct mount *best = NULL;

	for (size_t i = 0; i < py->mount_count; i++)
		if (is_below(path, py->mounts[i].path) &&
		    (!best || py->mounts[i].path.n > best->path.n))
			best = &py->mounts[i];
	return best;
}

static const struct mount *find_script(const struct python *py, struct slice script)
{
	for (size_t i = 0; i < py->mount_count; i++)
		if (py->mounts[i].path.n == script.n &&
		    (script.n == 0 || !memcmp(py->mounts[i].path.p, script.p, script.n)))
			return &py->mounts[i];
	return NULL;
}

PyObject *mount_find(const struct python *py, const struct request *rq, const struct mount **split)
{
	const struct mount *m;
	PyObject *usual = py->application;

	*split = NULL;
	if (py->mount_count == 0)
		return usual;
	if (py->settings->manage_script_name) {
		m = find_path(py, uwsgi_request_find(rq, SLICE("PATH_INFO")));
		*split = m && m->path.n > 0 ? m : NULL;
	} else {
		m = find_script(py, uwsgi_request_find(rq, SLICE("SCRIPT_NAME")));
	}
	if (m)
		return m->application;
	if (!usual && !py->settings->no_default_app)
		usual = py->mounts[0].application;
	return usual;
}

static int set_text(PyObject *env, PyObject *name, struct slice value)
{
	PyObject *text = PyUnicode_DecodeLatin1(value.p, (Py_ssize_t)value.n, NULL);
	int failed = !text || PyDict_SetItem(env, name, text);

	Py_XDECREF(text);
	return failed;
}

int mount_split_path(const struct python *py, const struct mount *m, const struct request *rq,
		     PyObject *env)
{
	struct slice path = uwsgi_request_find(rq, SLICE("PATH_INFO"));
	struct slice rest = { path.p + m->path.n, path.n - m->path.n };

	return set_text(env, py->names.script_name, m->path) ||
	       set_text(env, py->names.path_info, rest);
}
