/* SPDX-License-Identifier: MIT */
/* home.c: virtualenvs and other prefixes.  What is wrong with one is said before the interpreter
 * starts, because all that Python would say of it is "No module named encodings". */
#include "internal.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char mine[] = TEXT_VERSION;

struct home {
	const char *name;    /* what the user set: "home", "PYTHONHOME" */
	char path[PATH_MAX]; /* absolute */
	char version[32];    /* "3.11"; "": it says none */
	char base[512];      /* the folder of the Python that made it; "": it says none */
	bool is_virtualenv;
};

/* "3.11" from the line "version = 3.11.2" or "version_info = 3.11.2.final.0"; base from "home = /usr/bin". */
static void read_cfg(FILE *cfg, struct home *home)
{
	char line[sizeof home->base];
	int major, minor;

	while (fgets(line, sizeof line, cfg)) {
		if (sscanf(line, " version = %d.%d", &major, &minor) == 2 ||
		    sscanf(line, " version_info = %d.%d", &major, &minor) == 2)
			snprintf(home->version, sizeof home->version, "%d.%d", major, minor);
		sscanf(line, " home = %511[^\r\n]", home->base);
	}
}

/* The newest pythonX.Y in home/lib, for the message. */
static void find_version(struct home *home)
{
	char path[PATH_MAX + 8];
	const struct dirent *entry;
	int major, minor, newest = -1;

	snprintf(path, sizeof path, "%s/lib", home->path);
	DIR *dir = opendir(path);
	if (!dir)
		return;
	while ((entry = readdir(dir)))
		if (sscanf(entry->d_name, "python%d.%d", &major, &minor) == 2 && minor > newest) {
			newest = minor;
			snprintf(home->version, sizeof home->version, "%d.%d", major, minor);
		}
	closedir(dir);
}

static bool has(const struct home *home, const char *name)
{
	char path[PATH_MAX + 64];

	snprintf(path, sizeof path, "%s/%s", home->path, name);
	return access(path, R_OK) == 0;
}

/* The dot makes it ENOTDIR for a file. */
static int access_folder(const char *path)
{
	char folder[PATH_MAX + 8];

	snprintf(folder, sizeof folder, "%s/.", path);
	return access(folder, R_OK | X_OK);
}

static int examine(struct home *home, const char *path, struct error *e)
{
	char cwd[PATH_MAX / 2] = "", cfg_path[PATH_MAX + 16];
	bool relative = *path != '/';

	if (relative && !getcwd(cwd, sizeof cwd))
		return uwsgi_error_set(e, "%s = %s: %s", home->name, path, strerror(errno));
	int n = snprintf(home->path, sizeof home->path, "%s%s%s", cwd, relative ? "/" : "", path);
	if (n < 0 || (size_t)n >= sizeof home->path)
		return uwsgi_error_set(e, "%s = %s: %s", home->name, path, strerror(ENAMETOOLONG));
	if (access_folder(home->path))
		return uwsgi_error_set(e, "%s = %s: %s", home->name, path,
				       errno == ENOTDIR ? "not a folder: name that of the environment, "
							  "which holds bin/python"
							: strerror(errno));
	snprintf(cfg_path, sizeof cfg_path, "%s/pyvenv.cfg", home->path);
	FILE *cfg = fopen(cfg_path, "re");
	if (!cfg && errno != ENOENT)
		return uwsgi_error_set(e, "%s: %s", cfg_path, strerror(errno));
	home->is_virtualenv = cfg;
	if (cfg) {
		read_cfg(cfg, home);
		fclose(cfg);
	}
	if (!*home->version)
		find_version(home);
	return 0;
}

static int wrong_version(const struct home *home, struct error *e)
{
	return uwsgi_error_set(e,
			       "%s = %s was made for Python %s, and this plugin runs Python %s: "
			       "make it anew with python%s -m venv, or use a plugin for %s",
			       home->name, home->path, home->version, mine, mine, home->version);
}

/* An installation has its own standard library. */
static int check_installation(const struct home *home, struct error *e)
{
	if (has(home, "lib/python" TEXT_VERSION "/encodings") ||
	    has(home, "lib64/python" TEXT_VERSION "/encodings"))
		return 0;
	if (*home->version && strcmp(home->version, mine))
		return wrong_version(home, e);
	return uwsgi_error_set(
		e,
		"%s = %s is neither a virtualenv (it has no pyvenv.cfg) nor an "
		"installation of Python (there is no readable lib/python%s/encodings)",
		home->name, home->path, mine);
}

static int set(PyConfig *config, wchar_t **field, const char *value, struct error *e)
{
	PyStatus status = PyConfig_SetBytesString(config, field, value);

	return PyStatus_Exception(status)
		       ? uwsgi_error_set(e, "home = %s: %s", value, status.err_msg)
		       : 0;
}

/* What becomes sys.executable, and from where Python finds pyvenv.cfg. */
static int set_executable(PyConfig *config, const struct home *home, struct error *e)
{
	static const char *const names[] = { "bin/python" TEXT_VERSION, "bin/python3",
					     "bin/python" };
	char path[PATH_MAX + 64];

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (has(home, names[i])) {
			snprintf(path, sizeof path, "%s/%s", home->path, names[i]);
			return set(config, &config->program_name, path, e);
		}
	return uwsgi_error_set(e,
			       "%s = %s: its bin/python3 is missing, or leads to a Python that is "
			       "not there or not readable",
			       home->name, home->path);
}

/* Examines it, and whether this Python can use it. */
static int check(struct home *home, const char *path, struct error *e)
{
	if (examine(home, path, e))
		return -1;
	if (!home->is_virtualenv)
		return check_installation(home, e);
	return *home->version && strcmp(home->version, mine) ? wrong_version(home, e) : 0;
}

/* /srv/venv for /srv/venv/bin/uwsgi, where pip installs it.  An upgrade may have replaced the file of
 * this process: its folder is still the right one. */
static bool find_own(char *own, size_t size)
{
	char path[PATH_MAX], cfg[PATH_MAX + 16];
	ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);

	path[n > 0 ? n : 0] = '\0';
	for (int up = 0; up < 2; up++) {
		char *slash = strrchr(path, '/');

		if (!slash)
			return false;
		*slash = '\0';
	}
	snprintf(cfg, sizeof cfg, "%s/pyvenv.cfg", path);
	return access(cfg, R_OK) == 0 && snprintf(own, size, "%s", path) < (int)size;
}

const char *home_of(const struct python_settings *s, char *own, size_t size)
{
	const char *other = getenv("PYTHONHOME");

	if (s->home)
		return s->home;
	return (!other || !*other) && find_own(own, size) ? own : NULL;
}

int home_check(const char *path, struct error *e)
{
	struct home home = { .name = "home" };

	return check(&home, path, e);
}

/* Modules of another Python's standard library may want what this one does not have. */
static void doubt_base(const struct home *home)
{
	char path[sizeof home->base + 32], theirs[PATH_MAX], ours[PATH_MAX];

	snprintf(path, sizeof path, "%s/python" TEXT_VERSION, home->base);
	if (!*home->base || !realpath(path, theirs) || !realpath(UWSGI_PYTHON, ours) ||
	    !strcmp(theirs, ours) || strcmp(strrchr(theirs, '/'), strrchr(ours, '/')) != 0)
		return;
	uwsgi_log(UWSGI_WARNING,
		  "home = %s was made with %s, and this server runs the Python of %s: modules may "
		  "fail with \"undefined symbol\"; make it anew with %s -m venv",
		  home->path, theirs, ours, ours);
}

int home_configure(PyConfig *config, const char *path, struct error *e)
{
	struct home home = { .name = "home" };

	if (check(&home, path, e) ||
	    (!home.is_virtualenv && set(config, &config->home, home.path, e)))
		return -1;
	doubt_base(&home);
	return set_executable(config, &home, e);
}

int home_check_environment(struct error *e)
{
	const char *value = getenv("PYTHONHOME");
	struct home home = { .name = "PYTHONHOME" };
	char prefix[PATH_MAX];

	if (!value || !*value)
		return 0;
	/* prefix:exec_prefix */
	snprintf(prefix, sizeof prefix, "%.*s", (int)strcspn(value, ":"), value);
	return examine(&home, prefix, e) ? -1 : check_installation(&home, e);
}
