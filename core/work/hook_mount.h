/* SPDX-License-Identifier: MIT */
/* hook_mount.h: mounting and unmounting, with flags as words: "bind,readonly". */
#ifndef UWSGI_HOOK_MOUNT_H
#define UWSGI_HOOK_MOUNT_H

#include <uwsgi/plugin.h>

/* Whether these are flags, one or several with commas between them; NULL: none are wanted. */
int hook_mount_check(const char *flags, struct error *);
int hook_umount_check(const char *flags, struct error *);
/* The words of mount:KIND SOURCE FOLDER [FLAGS [DATA]]. */
struct hook_mount {
	const char *kind; /* of the file system, "tmpfs" */
	const char *source, *folder;
	const char *flags, *data; /* data: what the file system wants to know; NULL: nothing */
};
/* They return -1 with the reason.  The flag rec of umount is for all that is mounted below, too. */
int hook_mount(const struct hook_mount *, struct error *);
int hook_umount(const char *folder, const char *flags, struct error *);

#endif
