/* SPDX-License-Identifier: MIT */
/* home.c: virtualenvs.  What is wrong with one is said before the interpreter starts, because
 * Python itself would end the process with "No module named encodings". */
#include "internal.h"

#include <dirent.h>
#include <string.h>
#include <sys/stat.h>

static bool exists(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0;
}

/* "3.11" from the line "version = 3.11.2" or "version_info = 3.11.2.final.0". */
static bool read_version(const char *cfg, char *version, size_t size)
{
	char line[512];
	bool found = false;
	FILE *f = fopen(cfg, "re");

	if (!f)
		return false;
	while (!found && fgets(line, sizeof line, f)) {
		int major, minor;

		if (sscanf(line, " version = %d.%d", &major, &minor) == 2 ||
		    sscanf(line, " version_info = %d.%d", &major, &minor) == 2) {
			snprintf(version, size, "%d.%d", major, minor);
			found = true;
		}
	}
	fclose(f);
	return found;
}

/* The first pythonX.Y of home/lib: what a folder without pyvenv.cfg is for. */
static bool find_lib_version(const char *home, char *version, size_t size)
{
	char path[4096];
	const struct dirent *entry;
	bool found = false;

	snprintf(path, sizeof path, "%s/lib", home);
	DIR *dir = opendir(path);
	if (!dir)
		return false;
	while (!found && (entry = readdir(dir))) {
		int major, minor;

		if (sscanf(entry->d_name, "python%d.%d", &major, &minor) == 2) {
			snprintf(version, size, "%d.%d", major, minor);
			found = true;
		}
	}
	closedir(dir);
	return found;
}

static int set(PyConfig *config, wchar_t **field, const char *value, struct error *e)
{
	PyStatus status = PyConfig_SetBytesString(config, field, value);

	return PyStatus_Exception(status) ? uwsgi_error_set(e, "home = %s: %s", value, status.err_msg)
					  : 0;
}

/* Python finds pyvenv.cfg from the path of its executable. */
static int use_virtualenv(PyConfig *config, const char *home, struct error *e)
{
	static const char *const names[] = { "python3", "python" };
	char path[4096];

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		snprintf(path, sizeof path, "%s/bin/%s", home, names[i]);
		if (exists(path))
			return set(config, &config->program_name, path, e);
	}
	return uwsgi_error_set(e, "home = %s: there is no bin/python3 in it", home);
}

int home_configure(PyConfig *config, const char *home, struct error *e)
{
	static const char *const mine = TEXT_VERSION;
	char cfg[4096], version[32], library[4096];

	if (!exists(home))
		return uwsgi_error_set(e, "home = %s: there is no such folder", home);
	snprintf(cfg, sizeof cfg, "%s/pyvenv.cfg", home);
	bool is_virtualenv = read_version(cfg, version, sizeof version);
	if (is_virtualenv || find_lib_version(home, version, sizeof version)) {
		snprintf(library, sizeof library, "%s/lib/python%s", home, mine);
		if (strcmp(version, mine) && (is_virtualenv || !exists(library)))
			return uwsgi_error_set(e, "home = %s was made for Python %s, and this plugin "
						  "runs Python %s: make it anew with python%s -m "
						  "venv, or use a plugin for %s", home, version, mine,
					       mine, version);
		return is_virtualenv ? use_virtualenv(config, home, e)
				     : set(config, &config->home, home, e);
	}
	return uwsgi_error_set(e, "home = %s is neither a virtualenv (it has no pyvenv.cfg) nor a "
				  "Python installation (it has no lib/python%s)", home, mine);
}
