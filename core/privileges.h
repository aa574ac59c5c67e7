/* SPDX-License-Identifier: MIT */
/* privileges.h: giving up root for good. */
#ifndef UWSGI_PRIVILEGES_H
#define UWSGI_PRIVILEGES_H

#include "plugin.h"

extern const struct option_table privileges_options;

/* Who the server will be. */
struct identity {
	uid_t uid;
	gid_t gid;
	bool changes; /* false: nobody else than who it is now */
};

/* Looks up uid= and gid=, names or numbers.  Returns -1 with the reason. */
int privileges_find(const struct config *, struct identity *, struct error *);
/* Becomes that user and group, with the user's supplementary groups and no way back.  Without
 * root it says so and goes on as who it is. */
int privileges_drop(const struct config *, const struct identity *, struct error *);

#endif
