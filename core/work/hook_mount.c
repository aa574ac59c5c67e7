/* SPDX-License-Identifier: MIT */
/* hook_mount.c: mount(2) and umount2(2) for hooks. */
#include "work/hook_mount.h"

#include <errno.h>
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

static const struct flag umount_flags[] = {
	{ "detach", MNT_DETACH },
	{ "expire", MNT_EXPIRE },
	{ "force", MNT_FORCE },
	{ "nofollow", UMOUNT_NOFOLLOW },
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
	for (text = text ? text : ""; *(text += strspn(text, ", "));) {
		size_t n = strcspn(text, ", ");
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

int hook_mount(const char *kind, const char *source, const char *folder, const char *flags,
	       struct error *e)
{
	unsigned long value;

	if (read_mount(flags, &value, e))
		return -1;
	if (mount(source, folder, kind, value, NULL))
		return uwsgi_error_set(e, "%s", strerror(errno));
	/* A bind takes no other flags; they are set on what it has made (mount(2)). */
	if ((value & MS_BIND) && !(value & MS_REMOUNT) &&
	    (value & ~(unsigned long)(MS_BIND | MS_REC)) &&
	    mount(NULL, folder, NULL, (value & ~(unsigned long)MS_REC) | MS_REMOUNT, NULL))
		return uwsgi_error_set(e, "%s", strerror(errno));
	return 0;
}

int hook_umount(const char *folder, const char *flags, struct error *e)
{
	unsigned long value;

	if (read_umount(flags, &value, e))
		return -1;
	return umount2(folder, (int)value) ? uwsgi_error_set(e, "%s", strerror(errno)) : 0;
}
