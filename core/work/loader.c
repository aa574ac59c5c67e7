/* SPDX-License-Identifier: MIT */
/* loader.c: finds, opens and checks plugins.  A plugin is looked for in every plugin-dir, beside
 * the binary in a build tree, and in the installation's folder, in this order. */
#include "work/loader.h"

#include "base/slice.h"
#include "settings/nearest.h"
#include "settings/uwsgi_names.h"
#include "work/contract.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Stored for the sake of --help and the checks: the values are needed before all tables are
 * known, and so are read as keys. */
struct loader_settings {
	struct option_list plugins, folders, mounts;
};

/* "/path=plugin" */
static int is_mount(const char *text, struct error *e)
{
	size_t n = strcspn(text, "=");

	if (*text != '/' || n < 2 || text[n - 1] == '/' || !text[n] || !text[n + 1])
		return uwsgi_error_set(e, "expected /path=plugin");
	return 0;
}

#define AT(member) offsetof(struct loader_settings, member)
static const struct option rows[] = {
	{ .name = "plugin",
	  .type = OPT_LIST,
	  .offset = AT(plugins),
	  .help = "load these plugins, names separated by commas; those of the build are loaded "
		  "by themselves",
	  .example = "python311" },
	{ .name = "plugins", .same_as = "plugin" },
	{ .name = "need-plugin", .same_as = "plugin" },
	{ .name = "need-plugins", .same_as = "plugin" },
	{ .name = "plugin-dir",
	  .type = OPT_LIST,
	  .offset = AT(folders),
	  .help = "look for plugins in this folder too",
	  .unit = "FOLDER",
	  .example = "/usr/lib/uwsgi" },
	{ .name = "plugins-dir", .same_as = "plugin-dir" },
	{ .name = "mount-plugin",
	  .type = OPT_LIST,
	  .offset = AT(mounts),
	  .valid = is_mount,
	  .unit = "/PATH=PLUGIN",
	  .help = "requests below this path are run by the application of this plugin, which gets "
		  "the path as SCRIPT_NAME; the others by the one that is mounted nowhere",
	  .example = "/reports=python" },
};
#undef AT

const struct option_table loader_options = {
	.module = "plugins",
	.size = sizeof(struct loader_settings),
	.rows = rows,
	.count = sizeof rows / sizeof *rows,
};

struct protocol_settings {
	int protocol;
};

/* uWSGI's default is there whether or not its plugin is: listener.c says what is missing. */
static const char default_protocol[] = "uwsgi";

void loader_init(struct loader *ld)
{
	*ld = (struct loader){ .protocol_names = { default_protocol } };
	ld->plugins.items = ld->items;
	ld->protocol_rows[0] = (struct option){
		.name = "protocol",
		.type = OPT_CHOICE,
		.offset = offsetof(struct protocol_settings, protocol),
		.initial = default_protocol,
		.choices = ld->protocol_names,
		.help = "what is spoken on the addresses of socket, and on sockets that the "
			"service manager passes on",
		.example = "http",
	};
	ld->protocol_rows[1] = (struct option){ .name = "socket-protocol", .same_as = "protocol" };
	ld->protocol_options = (struct option_table){ .module = "protocols",
						      .size = sizeof(struct protocol_settings),
						      .rows = ld->protocol_rows,
						      .count = 2 };
}

static void add_protocol_name(struct loader *ld, const char *name)
{
	size_t n = 0;

	for (; ld->protocol_names[n]; n++)
		if (!strcmp(ld->protocol_names[n], name))
			return;
	if (n < LOADER_PROTOCOL_NAMES)
		ld->protocol_names[n] = name;
}

bool loader_answers_to(const struct plugin *p, const char *name)
{
	if (!strcmp(p->name, name))
		return true;
	for (size_t i = 0; p->aliases && p->aliases[i]; i++)
		if (!strcmp(p->aliases[i], name))
			return true;
	return false;
}

static bool is_loaded(const struct loader *ld, const char *name)
{
	for (size_t i = 0; i < ld->plugins.count; i++)
		if (loader_answers_to(ld->items[i], name))
			return true;
	return false;
}

/* Several of one name lie side by side, one for each Python: the one that was asked for last
 * takes the other's place. */
static void replace(struct loader *ld, size_t i, const struct plugin *p)
{
	ld->items[i] = p;
	if (p->app)
		ld->apps[i] = contract_complete(p->app);
}

static int add(struct loader *ld, const char *path, const struct plugin *p, struct error *e)
{
	for (size_t i = 0; i < ld->plugins.count; i++) {
		if (!strcmp(ld->items[i]->name, p->name)) {
			replace(ld, i, p);
			return 0;
		}
	}
	if (ld->plugins.count == LOADER_MAX)
		return uwsgi_error_set(e, "%s: more than %d plugins", path, LOADER_MAX);
	ld->items[ld->plugins.count++] = p;
	if (p->app)
		ld->apps[ld->plugins.count - 1] = contract_complete(p->app);
	if (p->protocol)
		add_protocol_name(ld, p->protocol->name);
	for (size_t i = 0; p->protocol && p->protocol->aliases && p->protocol->aliases[i]; i++)
		add_protocol_name(ld, p->protocol->aliases[i]);
	return 0;
}

static int adopt(struct loader *ld, const char *path, void *handle, struct error *e)
{
	const struct plugin *p = dlsym(handle, "uwsgi_plugin");
	struct error why;

	if (!p)
		return uwsgi_error_set(
			e, "%s is not a plugin of this server: it has no uwsgi_plugin", path);
	if (p->abi != UWSGI_ABI)
		return uwsgi_error_set(e,
				       "%s is plugin \"%s\" with ABI %u, this server needs ABI %u: "
				       "build it anew",
				       path, p->name ? p->name : "", p->abi, UWSGI_ABI);
	if (contract_check(p, &why))
		return uwsgi_error_set(e, "%s: %s", path, why.text);
	return add(ld, path, p, e);
}

/* Tries one path: 1 loaded, 0 no such file, -1 an error. */
static int try_path(struct loader *ld, const char *path, char *tried, size_t size, struct error *e)
{
	size_t n = strlen(tried);

	if (access(path, F_OK)) {
		snprintf(tried + n, size - n, "%s%s", n ? ", " : "", path);
		return 0;
	}
	/* Local: a plugin's names must not replace those of another or of an extension module. */
	void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);

	if (!handle)
		return uwsgi_error_set(e, "cannot load plugin: %s", dlerror());
	if (adopt(ld, path, handle, e)) {
		dlclose(handle);
		return -1;
	}
	return 1;
}

bool loader_find_binary(char *path, size_t size)
{
	ssize_t n = readlink("/proc/self/exe", path, size - 1);

	path[n > 0 ? n : 0] = '\0';
	return n > 0;
}

static void folder_of_binary(char *folder, size_t size)
{
	loader_find_binary(folder, size);
	char *slash = strrchr(folder, '/');
	if (slash)
		*slash = '\0';
}

/* Where `make install` puts plugins.  UWSGI_LIBDIR is an absolute path, or one as seen from the bin/ that
 * the program lies in; "" when it lies elsewhere. */
static void folder_of_installation(char *folder, size_t size)
{
	char home[4096];

	folder_of_binary(home, sizeof home);
	char *base = strrchr(home, '/');
	if (*UWSGI_LIBDIR == '/')
		snprintf(folder, size, "%s", UWSGI_LIBDIR);
	else if (base && strcmp(base, "/bin") == 0)
		snprintf(folder, size, "%.*s%s", (int)(base - home), home,
			 strchr(UWSGI_LIBDIR, '/'));
	else
		*folder = '\0';
}

const char *loader_find_file(const char *name, char *path, size_t size)
{
	char folder[4096];

	folder_of_binary(folder, sizeof folder);
	snprintf(path, size, "%s/%s", folder, name);
	if (access(path, R_OK) == 0)
		return path;
	folder_of_installation(folder, sizeof folder);
	snprintf(path, size, "%s/%s", folder, name);
	return *folder && access(path, R_OK) == 0 ? path : NULL;
}

/* Whether a key sets this option of the rows, aliases included. */
static bool means(const struct option *of, size_t count, const char *key, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (!strcmp(of[i].name, key))
			return !strcmp(of[i].same_as ? of[i].same_as : key, name);
	return false;
}

static bool key_means(const char *key, const char *name)
{
	return means(rows, sizeof rows / sizeof *rows, key, name);
}

/* Where a plugin of the build may lie: in the tree beside the program, or where it was installed.  *place
 * begins as 0; false: nowhere else. */
static bool next_place(const char *name, int *place, char *path, size_t size)
{
	char folder[4096];

	switch ((*place)++) {
	case 0:
		folder_of_binary(folder, sizeof folder);
		snprintf(path, size, "%s/plugins/%s/%s_plugin.so", folder, name, name);
		return true;
	case 1:
		folder_of_installation(folder, sizeof folder);
		snprintf(path, size, "%s/%s_plugin.so", folder, name);
		return *folder;
	default:
		return false;
	}
}

static int try_folders(struct loader *ld, const char *name, const struct config *keys, char *tried,
		       size_t size, struct error *e)
{
	const char *key, *value;
	char path[8192];
	int loaded = 0;

	for (size_t i = 0; !loaded && keys && uwsgi_config_next(keys, &i, &key, &value);) {
		if (!key_means(key, "plugin-dir"))
			continue;
		snprintf(path, sizeof path, "%s/%s_plugin.so", value, name);
		loaded = try_path(ld, path, tried, size, e);
	}
	for (int place = 0; !loaded && next_place(name, &place, path, sizeof path);)
		loaded = try_path(ld, path, tried, size, e);
	return loaded;
}

/* Whether the file of a plugin of the build is there: a distribution may have it in another package. */
static bool is_installed(const char *name)
{
	char path[8192];

	for (int place = 0; next_place(name, &place, path, sizeof path);)
		if (access(path, F_OK) == 0)
			return true;
	return false;
}

/* "; did you mean …?", of what is loaded and of what uWSGI has. */
static void hint(const struct loader *ld, const char *name, char *text, size_t size)
{
	if (manifest_plugin(&ld->manifest, name)) {
		snprintf(text, size, ", though the server was built with it; Debian's packages of "
				     "plugins are called uwsgi-ng-plugin-...");
		return;
	}
	struct nearest n = nearest_to(name);
	struct uwsgi_name known;

	for (size_t i = 0; i < ld->plugins.count; i++) {
		nearest_consider(&n, ld->items[i]->name);
		for (size_t k = 0; ld->items[i]->aliases && ld->items[i]->aliases[k]; k++)
			nearest_consider(&n, ld->items[i]->aliases[k]);
	}
	for (size_t i = 0; i < ld->manifest.count; i++) {
		nearest_consider(&n, ld->manifest.items[i].name);
		for (size_t k = 0; ld->manifest.items[i].aliases[k]; k++)
			nearest_consider(&n, ld->manifest.items[i].aliases[k]);
	}
	for (size_t i = 0; i < uwsgi_subject_count; i++) {
		const char *names = uwsgi_subjects[i].plugins;

		while (uwsgi_names_next(&names, &known))
			nearest_consider(&n, known.name);
	}
	*text = '\0';
	if (*n.name)
		snprintf(text, size, "; did you mean \"%s\"?", n.name);
}

static void list_known(const struct loader *ld, char *text, size_t size)
{
	size_t n = 0;

	snprintf(text, size, "none");
	for (size_t i = 0; i < ld->plugins.count && n < size; i++)
		n += (size_t)snprintf(text + n, size - n, "%s%s", n ? ", " : "",
				      ld->items[i]->name);
	for (size_t i = 0; i < ld->manifest.count && n < size; i++)
		if (!is_loaded(ld, ld->manifest.items[i].name) &&
		    is_installed(ld->manifest.items[i].name))
			n += (size_t)snprintf(text + n, size - n, "%s%s", n ? ", " : "",
					      ld->manifest.items[i].name);
}

/* name: as asked for, which may be a path.  keys: where plugin-dir may be; NULL: nowhere. */
static int find_and_load(struct loader *ld, const char *name, const struct config *keys,
			 struct error *e)
{
	char path[8192], tried[sizeof e->text - 384] = "", known[128], near[160];
	int loaded = 0;

	if (strchr(name, '/')) {
		loaded = try_path(ld, name, tried, sizeof tried, e);
		snprintf(path, sizeof path, "%s_plugin.so", name);
		if (!loaded)
			loaded = try_path(ld, path, tried, sizeof tried, e);
	} else {
		loaded = try_folders(ld, name, keys, tried, sizeof tried, e);
	}
	if (loaded)
		return loaded > 0 ? 0 : -1;
	list_known(ld, known, sizeof known);
	hint(ld, name, near, sizeof near);
	return uwsgi_error_set(e, "plugin \"%s\" not found%s; tried %s; there are %s", name, near,
			       tried, known);
}

void loader_learn_profile(struct loader *ld)
{
	char home[4096], path[8192];

	folder_of_binary(home, sizeof home);
	snprintf(path, sizeof path, "%s/plugins/manifest", home);
	if (manifest_read(&ld->manifest, path)) {
		folder_of_installation(home, sizeof home);
		snprintf(path, sizeof path, "%s/manifest", home);
		if (manifest_read(&ld->manifest, path)) {
			loader_load_profile(ld);
			return;
		}
	}
	for (size_t i = 0; i < ld->manifest.count; i++)
		for (size_t k = 0; ld->manifest.items[i].protocols[k]; k++)
			add_protocol_name(ld, ld->manifest.items[i].protocols[k]);
}

int loader_load(struct loader *ld, const char *name, struct error *e)
{
	return is_loaded(ld, name) ? 0 : find_and_load(ld, name, NULL, e);
}

void loader_load_profile(struct loader *ld)
{
	char names[] = UWSGI_PLUGINS, *rest = names, *name;
	struct error e;

	while ((name = strsep(&rest, " ,")))
		if (*name && find_and_load(ld, name, NULL, &e))
			uwsgi_log(UWSGI_WARNING, "%s", e.text);
}

void loader_load_by_program_name(struct loader *ld, const char *program)
{
	static const char begins[] = "uwsgi_";
	const char *slash = strrchr(program, '/'), *name = slash ? slash + 1 : program;
	struct error e;

	if (strncmp(name, begins, sizeof begins - 1) != 0)
		return;
	name += sizeof begins - 1;
	const struct described *own = manifest_plugin(&ld->manifest, name);

	if (*name && !is_loaded(ld, name) && find_and_load(ld, own ? own->name : name, NULL, &e))
		uwsgi_log(UWSGI_WARNING, "%s: %s", program, e.text);
}

/* The name in a path such as /usr/lib/uwsgi/plugins/python3_plugin.so. */
static void bare_name(const char *path, char *name, size_t size)
{
	const char *slash = strrchr(path, '/');

	snprintf(name, size, "%s", slash ? slash + 1 : path);
	char *end = strstr(name, "_plugin.so");
	if (end)
		*end = '\0';
}

/* One that uWSGI has, and that is no reason not to start. */
static bool is_dispensable(const char *name, struct origin at, struct report *report)
{
	const struct subject *subject = uwsgi_names_plugin(name);

	/* What such a plugin does is done without one. */
	if (subject && subject->status != SUBJECT_HERE)
		report_add(report, UWSGI_WARNING, at,
			   "plugin \"%s\" of uWSGI is not here, ignored: %s", name, subject->text);
	return subject != NULL;
}

static void load_list(struct loader *ld, const struct directive *key, const struct config *keys,
		      struct report *report)
{
	char *names = strdup(key->value ? key->value : ""), *rest = names, *asked, name[256];
	struct error e;

	if (!names)
		report_add(report, UWSGI_ERROR, key->at, "out of memory");
	while (names && (asked = strsep(&rest, ", "))) {
		bare_name(asked, name, sizeof name);
		if (!*name || is_loaded(ld, name) ||
		    (!strchr(asked, '/') && is_dispensable(name, key->at, report)))
			continue;
		/* One of the build is what it was built with, whatever lies in plugin-dir. */
		const struct described *own = manifest_plugin(&ld->manifest, asked);

		if (find_and_load(ld, own ? own->name : asked, own ? NULL : keys, &e))
			report_add(report, UWSGI_ERROR, key->at, "%s", e.text);
	}
	free(names);
}

void loader_load_configured(struct loader *ld, const struct config *cfg, struct report *report)
{
	const struct directives *set = config_directives(cfg);

	for (size_t i = 0; i < set->count; i++)
		if (key_means(set->items[i].name, "plugin"))
			load_list(ld, &set->items[i], cfg, report);
}

/* d NULL: nothing is needed. */
static void need(struct loader *ld, const struct described *d, struct report *report)
{
	struct error e;

	if (d && !is_loaded(ld, d->name) && find_and_load(ld, d->name, NULL, &e))
		report_add(report, UWSGI_ERROR, (struct origin){ 0 }, "%s", e.text);
}

static bool runs_applications(const struct loader *ld)
{
	for (size_t i = 0; i < ld->plugins.count; i++)
		if (ld->items[i]->app)
			return true;
	return false;
}

void loader_load_needed(struct loader *ld, const struct config *cfg, struct report *report)
{
	const struct directives *set = config_directives(cfg);
	const struct manifest *m = &ld->manifest;

	need(ld, manifest_protocol(m, default_protocol), report);
	for (size_t i = 0; i < set->count; i++) {
		const struct directive *d = &set->items[i];

		need(ld, manifest_option(m, d->name), report);
		if (d->value && key_means(d->name, "mount-plugin") && strchr(d->value, '='))
			need(ld, manifest_plugin(m, strchr(d->value, '=') + 1), report);
		if (d->value && means(ld->protocol_rows, 2, d->name, "protocol"))
			need(ld, manifest_protocol(m, d->value), report);
	}
	for (size_t i = 0; i < m->count; i++)
		if (uwsgi_config_has_action(cfg, slice_of(m->items[i].name)))
			need(ld, &m->items[i], report);
	for (size_t i = 0; i < m->count && !runs_applications(ld); i++)
		if (m->items[i].runs_applications)
			need(ld, &m->items[i], report);
}

size_t loader_tables(const struct loader *ld, const struct option_table *tables[LOADER_TABLES])
{
	size_t count = 0;

	tables[count++] = &ld->protocol_options;
	for (size_t i = 0; i < ld->plugins.count; i++)
		if (ld->items[i]->options)
			tables[count++] = ld->items[i]->options;
	for (size_t i = 0; i < ld->manifest.count; i++)
		if (!is_loaded(ld, ld->manifest.items[i].name))
			tables[count++] = &ld->manifest.items[i].options;
	return count;
}

size_t loader_find_handlers(const struct loader *ld, const struct config *cfg,
			    const struct handler *found[LOADER_MAX])
{
	size_t count = 0, at;

	for (size_t i = 0; i < ld->plugins.count; i++) {
		const struct handler *h = ld->items[i]->handler;

		if (!h || (h->wants && !h->wants(cfg)))
			continue;
		for (at = count++; at > 0 && found[at - 1]->order > h->order; at--)
			found[at] = found[at - 1];
		found[at] = h;
	}
	return count;
}

bool loader_has(const struct loader *ld, const char *name)
{
	return is_loaded(ld, name) || manifest_plugin(&ld->manifest, name);
}

void loader_fini(struct loader *ld)
{
	manifest_fini(&ld->manifest);
}
