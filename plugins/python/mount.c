/* SPDX-License-Identifier: MIT */
/* mount.c: several applications in one interpreter, each below a path of its own, or for a host.  Loaded
 * where the application is; wsgi.c asks for each request. */
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

/* "/path" or "host|/path". */
static void take_place(struct mount *m, struct slice place)
{
	const char *bar = memchr(place.p, '|', place.n);
	size_t n = bar ? (size_t)(bar - place.p) : 0;

	m->host = (struct slice){ place.p, n };
	m->path = bar ? (struct slice){ bar + 1, place.n - n - 1 } : place;
	while (m->path.n > 0 && m->path.p[m->path.n - 1] == '/')
		m->path.n--;
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

		take_place(m, (struct slice){ text, strcspn(text, "=") });
		m->application = load_one(strchr(text, '=') + 1, py->settings->callable, e);
		if (!m->application)
			return -1;
		py->mount_count++;
	}
	return 0;
}

/* Whom the request is for, perhaps with a port; empty: hosts are not told apart. */
static struct slice host_of(const struct python *py, const struct request *rq)
{
	if (py->settings->vhost_host)
		return uwsgi_request_find(rq, SLICE("HTTP_HOST"));
	return py->settings->vhost ? uwsgi_request_find(rq, SLICE("SERVER_NAME")) : SLICE("");
}

static struct slice without_port(struct slice host)
{
	const char *colon = host.n ? memrchr(host.p, ':', host.n) : NULL;
	bool is_port = colon && !memchr(colon, ']', host.n - (size_t)(colon - host.p));

	return is_port ? (struct slice){ host.p, (size_t)(colon - host.p) } : host;
}

static bool is_for(const struct mount *m, struct slice host)
{
	return m->host.n == 0 || uwsgi_same_name(m->host, host) ||
	       uwsgi_same_name(m->host, without_port(host));
}

/* One for the host before one for all, then the longer path. */
static bool is_nearer(const struct mount *m, const struct mount *best)
{
	if (!best || (m->host.n > 0) != (best->host.n > 0))
		return !best || m->host.n > 0;
	return m->path.n > best->path.n;
}

static const struct mount *find(const struct python *py, const struct request *rq)
{
	bool splits = py->settings->manage_script_name;
	struct slice path =
		uwsgi_request_find(rq, splits ? SLICE("PATH_INFO") : SLICE("SCRIPT_NAME"));
	struct slice host = host_of(py, rq);
	const struct mount *best = NULL;

	for (size_t i = 0; i < py->mount_count; i++) {
		const struct mount *m = &py->mounts[i];

		if ((splits ? uwsgi_is_below(path, m->path) : uwsgi_same(path, m->path)) &&
		    is_for(m, host) && is_nearer(m, best))
			best = m;
	}
	return best;
}

/* For requests that no mount has: the application or, without one, the first mount for all hosts. */
static PyObject *find_usual(const struct python *py)
{
	PyObject *usual = py->application;

	for (size_t i = 0; !usual && !py->settings->no_default_app && i < py->mount_count; i++)
		if (py->mounts[i].host.n == 0)
			usual = py->mounts[i].application;
	return usual;
}

PyObject *mount_find(const struct python *py, const struct request *rq, const struct mount **split)
{
	const struct mount *m = py->mount_count ? find(py, rq) : NULL;

	*split = m && m->path.n > 0 && py->settings->manage_script_name ? m : NULL;
	return m ? m->application : find_usual(py);
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
