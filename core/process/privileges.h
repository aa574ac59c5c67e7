/* SPDX-License-Identifier: MIT */
/* privileges.h: another root folder, another user: giving up root for good. */
#ifndef UWSGI_PRIVILEGES_H
#define UWSGI_PRIVILEGES_H

#include <uwsgi/plugin.h>

extern const struct option_table privileges_options;

/* Who the server will be. */
struct identity {
	uid_t uid;
	gid_t gid;
	bool changes; /* false: nobody else than who it is now */
};

/* Who gives up root: all processes before anything of the application is read, all but the
 * master, or only those that serve, once the application is imported. */
enum privileges_when { PRIVILEGES_ALL, PRIVILEGES_CHILDREN, PRIVILEGES_AFTER_IMPORT };
enum privileges_when privileges_when(const struct config *);
/* Even before the sockets are opened. */
bool privileges_at_once(const struct config *);

/* Looks up uid= and gid=, names or numbers.  Returns -1 with the reason. */
int privileges_find(const struct config *, struct identity *, struct error *);
/* There is a chroot=. */
bool privileges_changes_root(const struct config *);
/* Enters the root folder of chroot=, and goes to its top; *entered: there is one. */
int privileges_enter_root(const struct config *, bool *entered, struct error *);
/* Becomes that user and group, with the user's supplementary groups and no way back.  Without
 * root it says so and goes on as who it is. */
int privileges_drop(const struct config *, const struct identity *, struct error *);
/* Becomes this user and group, names or numbers; NULL: nobody else, and the user's own group.  With no
 * supplementary groups but the user's, and no way back. */
int privileges_become(const char *user, const char *group, struct error *);
/* Capabilities that every program that this process executes has, too: a bit for each. */
uint64_t privileges_ambient(void);
/* Exactly these, of those that this process can hand on. */
void privileges_set_ambient(uint64_t);
/* All that `cap` gives, or who has started the server. */
uint64_t privileges_inheritable(void);
/* Both: becomes who uid= and gid= say. */
int privileges_give_up(const struct config *, struct error *);
/* The same, in a child of the master, unless that has given them up already. */
int privileges_enter_child(const struct config *, struct error *);

#endif
