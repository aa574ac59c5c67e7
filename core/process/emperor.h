/* SPDX-License-Identifier: MIT */
/* emperor.h: what a configuration says of an emperor's vassals, and which files ask for one. */
#ifndef UWSGI_EMPEROR_H
#define UWSGI_EMPEROR_H

#include <uwsgi/plugin.h>

#include <time.h>

extern const struct option_table emperor_options;

struct emperor_settings {
	struct option_list places; /* folders and patterns */
	struct option_list include_before, set, inherit_before, inherit, include, endings;
	long long freq_s, throttle_ms, max_throttle_ms, required_heartbeat_s, heartbeat_s;
	bool nofollow;
};

/* Whether this configuration makes the server an emperor. */
bool emperor_is_named(const struct config *);

/* How often this server tells its own emperor that it lives; 0: not at all. */
long long emperor_heartbeat_s(const struct config *);

/* A configuration file; valid during the call that tells of it. */
struct vassal_file {
	const char *name;   /* as the vassal is given it: "shop.ini", or the whole path */
	const char *folder; /* where it starts; NULL: where the emperor is */
	struct timespec changed;
	ino_t inode;
	bool unknown; /* it is there, and when it was changed could not be found out */
};

enum emperor_sight {
	EMPEROR_SAW_ALL,
	/* The worst of these, which the error names. */
	EMPEROR_IS_EXPOSED,    /* what runs as root is in a file that not only root may write */
	EMPEROR_MISSES_FOLDER, /* a folder or a file is not there */
	EMPEROR_SAW_PART,      /* a folder could not be read just now */
};

/* Tells of each file that there is.  Relative places are seen from the present folder.  as_root: vassals
 * run so. */
enum emperor_sight emperor_look(const struct emperor_settings *, bool as_root,
				void (*found)(void *data, const struct vassal_file *), void *data,
				struct error *);

/* Whether a file that was not told of is gone for certain: nothing has this name, or the configuration
 * does not ask for it any more.  False: it is there though a folder was not read to its end, its folder is
 * gone as a whole, which may be on its way back, or it cannot be seen just now, and the error says why. */
bool emperor_lacks(const struct emperor_settings *, const struct vassal_file *, struct error *);

/* The command line of a vassal, ended with a NULL: `program`, then what the configuration adds to the
 * file.  The list is the caller's to free, its strings are not.  NULL: no memory. */
const char **emperor_arguments(const struct emperor_settings *, const char *program,
			       const char *file);

#endif
