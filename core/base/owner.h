/* SPDX-License-Identifier: MIT */
/* owner.h: users, groups and access modes as options have them. */
#ifndef UWSGI_OWNER_H
#define UWSGI_OWNER_H

#include <uwsgi/plugin.h>

/* A name or a number; -1 with the reason.  *gid: the user's own group, where there is such a user. */
int owner_user(const char *text, uid_t *uid, gid_t *gid, struct error *);
int owner_group(const char *text, gid_t *gid, struct error *);
/* Octal; -1: it is none, or more than `most`. */
int owner_mode(const char *text, mode_t most, mode_t *mode);

#endif
