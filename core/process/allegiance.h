/* SPDX-License-Identifier: MIT */
/* allegiance.h: what a vassal and its emperor say to each other, over a socket whose number the vassal
 * finds in UWSGI_EMPEROR_FD: single bytes, as uWSGI's emperor protocol has them.  In addition a vassal
 * sends short texts, "I127.0.0.1:9090;": a letter, then printable bytes, then a semicolon, none of which
 * means anything to uWSGI. */
#ifndef UWSGI_ALLEGIANCE_H
#define UWSGI_ALLEGIANCE_H

#include "wire/watch.h"

#include <uwsgi/plugin.h>

/* To the vassal: the number of its socket. */
#define ALLEGIANCE_VARIABLE "UWSGI_EMPEROR_FD"

enum allegiance_word {
	ALLEGIANCE_STOP = 0,   /* to a vassal: finish and end */
	ALLEGIANCE_RELOAD = 1, /* to a vassal */
	/* from a vassal */
	ALLEGIANCE_READY = 5,
	ALLEGIANCE_LOYAL = 17,
	ALLEGIANCE_HEARTBEAT = 26,
	ALLEGIANCE_FAILED = 'F',  /* with a text: why the reload failed */
	ALLEGIANCE_INSPECT = 'I', /* with a text: where its inspect is; "": nowhere */
};

/* ---- the emperor's side ---- */

struct allegiance_reader {
	int word; /* whose text comes; 0: none */
	size_t n;
	char text[160]; /* what is longer is cut */
};

/* The word that is whole with this byte, its text in the reader; -1: none is. */
int allegiance_read(struct allegiance_reader *, unsigned char byte);

/* ---- the vassal's side ---- */

struct allegiance {
	int fd; /* -1: no emperor has started this server */
	struct ev_loop *loop;
	struct watch watch;
	ev_timer beat;
	/* The emperor's word; -1: it is gone.  Called from the loop. */
	void (*heard)(void *data, int word);
	void *data;
};

/* Takes UWSGI_EMPEROR_FD out of the environment, before the configuration is read. */
void allegiance_find(struct allegiance *);
/* In the master.  heard and data are set. */
void allegiance_begin(struct allegiance *, struct ev_loop *);
/* How often to say that it lives; 0: not at all. */
void allegiance_beat(struct allegiance *, long long seconds);
/* It serves, for the first time or after a reload.  inspect: its address; NULL: it has none. */
void allegiance_serve(const struct allegiance *, const char *inspect);
/* A reload failed. */
void allegiance_fail(const struct allegiance *, const char *why);
/* In a child, or at the end. */
void allegiance_close(struct allegiance *);

#endif
