/* SPDX-License-Identifier: MIT */
/* hook_mount.h: mounting and unmounting, with flags as words: "bind,readonly". */
#ifndef UWSGI_HOOK_MOUNT_H
#define UWSGI_HOOK_MOUNT_H

#include <uwsgi/plugin.h>

/* Whether these are flags, one or several with commas or blanks between them; NULL: none are wanted. */
int hook_mount_check(const char *flags, struct error *);
int hook_umount_check(const char *flags, struct error *);
/* kind: of the file system, "tmpfs".  They return -1 with the reason. */
int hook_mount(const char *kind, const char *source, const char *folder, const char *flags,
	       struct error *);
int hook_umount(const char *folder, const char *flags, struct error *);

#endif
