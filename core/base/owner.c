/* SPDX-License-Identifier: MIT */
/* owner.c: asks the system who somebody is.  A name goes before a number: some are named by one. */
#include "base/owner.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>

/* Digits only, and it fits; the last one means nobody. */
static bool is_number(const char *text, unsigned long *id)
{
	char *end;

	errno = 0;
	*id = strtoul(text, &end, 10);
	return *text >= '0' && *text <= '9' && !*end && !errno && *id < 0xffffffffUL;
}

int owner_user(const char *text, uid_t *uid, gid_t *gid, struct error *e)
{
	const struct passwd *pw = getpwnam(text);
	unsigned long id;

	if (!pw && !is_number(text, &id))
		return uwsgi_error_set(e, "there is no user %s", text);
	if (!pw)
		pw = getpwuid((uid_t)id);
	*uid = pw ? pw->pw_uid : (uid_t)id;
	if (pw)
		*gid = pw->pw_gid;
	return 0;
}

int owner_group(const char *text, gid_t *gid, struct error *e)
{
	const struct group *gr = getgrnam(text);
	unsigned long id;

	if (!gr && !is_number(text, &id))
		return uwsgi_error_set(e, "there is no group %s", text);
	*gid = gr ? gr->gr_gid : (gid_t)id;
	return 0;
}

int owner_mode(const char *text, mode_t most, mode_t *mode)
{
	char *end;
	unsigned long n = strtoul(text, &end, 8);

	if (end == text || *end || n > most)
		return -1;
	*mode = (mode_t)n;
	return 0;
}
