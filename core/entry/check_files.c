/* SPDX-License-Identifier: MIT */
/* check_files.c: which files a start could not open, since they have no folder.  Called by --check.
 * Rights are not judged: the server may be started by another user. */
#include "entry/check_files.h"

#include "log/logfile.h"
#include "process/pidfile.h"
#include "process/privileges.h"
#include "work/hooks.h"

static const char *path_of(const struct config *cfg, const char *option)
{
	const char *const *path = uwsgi_config_setting(cfg, option);

	return path ? *path : NULL;
}

static const struct file {
	const char *option;
	int (*check)(const char *path, const char *start_folder, struct error *);
	bool late;              /* opened within the root folder of chroot= */
	const char *instead[2]; /* where one of these is set, this file is not opened */
} files[] = {
	{ "logto", logfile_check, false, { 0 } },
	{ "logto2", logfile_check, true, { 0 } },
	{ "daemonize", logfile_check, false, { "logto" } },
	{ "daemonize2", logfile_check, false, { "logto", "daemonize" } },
	{ "pidfile", pidfile_check, false, { 0 } },
	{ "safe-pidfile", pidfile_check, false, { 0 } },
	{ "pidfile2", pidfile_check, true, { 0 } },
	{ "safe-pidfile2", pidfile_check, true, { 0 } },
	{ "emperor-pidfile", pidfile_check, false, { 0 } },
};

static bool is_opened(const struct config *cfg, const struct file *f)
{
	if (!path_of(cfg, f->option) || (f->late && privileges_changes_root(cfg)))
		return false;
	for (size_t i = 0; i < sizeof f->instead / sizeof *f->instead; i++)
		if (f->instead[i] && path_of(cfg, f->instead[i]))
			return false;
	return true;
}

void check_files(const struct config *cfg, const char *start_folder, struct report *report)
{
	/* A hook may make the folder. */
	enum severity severity = hooks_come_first(cfg) ? UWSGI_WARNING : UWSGI_ERROR;
	struct error e;

	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		const struct file *f = &files[i];

		if (is_opened(cfg, f) && f->check(path_of(cfg, f->option), start_folder, &e))
			report_say(report, severity, config_directive(cfg, f->option)->at,
				   f->option, "%s", e.text);
	}
}
