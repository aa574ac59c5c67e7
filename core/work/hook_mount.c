/* SPDX-License-Identifier: MIT */
/* hook_mount.c: mount(2) and umount2(2) for hooks. */
#include "work/hook_mount.h"

#include <errno.h>
#include <limits.h>
#include <mntent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>

struct flag {
	const char *name;
	unsigned long value;
};

static const struct flag mount_flags[] = {
	{ "bind", MS_BIND },
	{ "dirsync", MS_DIRSYNC },
	{ "mandlock", MS_MANDLOCK },
	{ "move", MS_MOVE },
	{ "noatime", MS_NOATIME },
	{ "nodev", MS_NODEV },
	{ "nodiratime", MS_NODIRATIME },
	{ "noexec", MS_NOEXEC },
	{ "nosuid", MS_NOSUID },
	{ "private", MS_PRIVATE },
	{ "rdonly", MS_RDONLY },
	{ "readonly", MS_RDONLY },
	{ "rec", MS_REC },
	{ "recursive", MS_REC },
	{ "relatime", MS_RELATIME },
	{ "remount", MS_REMOUNT },
	{ "ro", MS_RDONLY },
	{ "shared", MS_SHARED },
	{ "slave", MS_SLAVE },
	{ "strictatime", MS_STRICTATIME },
	{ "sync", MS_SYNCHRONOUS },
	{ "unbindable", MS_UNBINDABLE },
};

static const unsigned long rec = MS_REC;
static const unsigned long propagation = MS_PRIVATE | MS_SHARED | MS_SLAVE | MS_UNBINDABLE;

/* No flag of the kernel's. */
enum { ALL_BELOW = 1 << 30 };

static const struct flag umount_flags[] = {
	{ "detach", MNT_DETACH },        { "expire", MNT_EXPIRE }, { "force", MNT_FORCE },
	{ "nofollow", UMOUNT_NOFOLLOW }, { "rec", ALL_BELOW },     { "recursive", ALL_BELOW },
};

static const struct flag *find(const struct flag *flags, size_t count, const char *name, size_t n)
{
	for (size_t i = 0; i < count; i++)
		if (strlen(flags[i].name) == n && !strncmp(flags[i].name, name, n))
			return &flags[i];
	return NULL;
}

static int read_flags(const struct flag *flags, size_t count, const char *text,
		      unsigned long *value, struct error *e)
{
	*value = 0;
	for (text = text ? text : ""; *(text += strspn(text, ","));) {
		size_t n = strcspn(text, ",");
		const struct flag *flag = find(flags, count, text, n);

		if (!flag)
			return uwsgi_error_set(e, "there is no flag %.*s", n > 64 ? 64 : (int)n,
					       text);
		*value |= flag->value;
		text += n;
	}
	return 0;
}

static int read_mount(const char *text, unsigned long *value, struct error *e)
{
	return read_flags(mount_flags, sizeof mount_flags / sizeof *mount_flags, text, value, e);
}

static int read_umount(const char *text, unsigned long *value, struct error *e)
{
	return read_flags(umount_flags, sizeof umount_flags / sizeof *umount_flags, text, value, e);
}

int hook_mount_check(const char *flags, struct error *e)
{
	unsigned long value;

	return read_mount(flags, &value, e);
}

int hook_umount_check(const char *flags, struct error *e)
{
	unsigned long value;

	return read_umount(flags, &value, e);
}

/* Whether something is mounted or mounted again, not only its propagation changed, as by "mount:none none /
 * rec,private". */
static bool is_mount(const struct hook_mount *m, unsigned long flags)
{
	return !(flags & propagation) || flags & (MS_BIND | MS_MOVE | MS_REMOUNT) ||
	       strcmp(m->kind, "none") != 0;
}

/* The kernel looks at some flags alone, and passes over all others that come with them (mount(2)): a
 * bind takes others when it is mounted again, and propagation is a call of its own. */
int hook_mount(const struct hook_mount *m, struct error *e)
{
	unsigned long flags, spread;

	if (read_mount(m->flags, &flags, e))
		return -1;
	spread = flags & propagation;
	if (is_mount(m, flags)) {
		flags &= ~propagation;
		if (mount(m->source, m->folder, m->kind, flags, m->data))
			return uwsgi_error_errno(e);
		if ((flags & MS_BIND) && !(flags & MS_REMOUNT) && (flags & ~(MS_BIND | rec)) &&
		    mount(NULL, m->folder, NULL, (flags & ~rec) | MS_REMOUNT, NULL))
			return uwsgi_error_errno(e);
	}
	if (spread && mount(NULL, m->folder, NULL, spread | (flags & rec), NULL))
		return uwsgi_error_errno(e);
	return 0;
}

/* Where the last thing is mounted that is below the folder; false: nothing is. */
static bool find_below(const char *folder, char *found, size_t size)
{
	FILE *mounts = setmntent("/proc/self/mounts", "re");
	const struct mntent *m;

	*found = '\0';
	while (mounts && (m = getmntent(mounts)))
		if (uwsgi_is_below((struct slice){ m->mnt_dir, strlen(m->mnt_dir) },
				   (struct slice){ folder, strlen(folder) }) &&
		    strcmp(m->mnt_dir, folder) != 0)
			snprintf(found, size, "%s", m->mnt_dir);
	if (mounts)
		endmntent(mounts);
	return *found;
}

static int umount_below(const char *folder, int flags, struct error *e)
{
	char real[PATH_MAX], found[PATH_MAX];

	if (!realpath(folder, real))
		return uwsgi_error_errno(e);
	while (find_below(real, found, sizeof found))
		if (umount2(found, flags))
			return uwsgi_error_set(e, "%s: %s", found, strerror(errno));
	return 0;
}

int hook_umount(const char *folder, const char *words, struct error *e)
{
	unsigned long value;

	if (read_umount(words, &value, e))
		return -1;
	int flags = (int)(value & ~(unsigned long)ALL_BELOW);

	if ((value & ALL_BELOW) && umount_below(folder, flags, e))
		return -1;
	return umount2(folder, flags) ? uwsgi_error_errno(e) : 0;
}
