/* SPDX-License-Identifier: MIT */
/* progress.h: whether a peer goes on taking what is sent to it.  A slow one may take as long as it
 * needs; one that takes nothing, or next to nothing, holds memory and a descriptor for no good. */
#ifndef UWSGI_PROGRESS_H
#define UWSGI_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

/* Less than this from a TCP peer, measured over a whole timeout, is next to nothing. */
enum { PROGRESS_LEAST = 1024 /* bytes a second */ };

struct progress {
	int64_t looked_ms; /* on the caller's clock */
	int64_t still_ms;  /* how long it has taken nothing, and how long it took `taken` */
	int64_t window_ms;
	int64_t sent, taken;
	int queued; /* -1: not asked yet */
};

/* What can be seen of a socket. */
struct progress_view {
	int64_t now_ms;
	int64_t sent; /* bytes that the kernel has taken from us, from any beginning on */
	int queued;   /* what of that the peer has not taken (SIOCOUTQ) */
	bool tcp;     /* queued counts bytes; on a UNIX socket it counts memory */
};

/* From now on the peer is waited for.  sent: as in the first view. */
void progress_begin(struct progress *, int64_t now_ms, int64_t sent);
/* How long until the next look, give or take half of that. */
int64_t progress_look_ms(int64_t timeout_ms);
/* False: the peer took nothing for timeout_ms, or too little to count. */
bool progress_goes_on(struct progress *, const struct progress_view *, int64_t timeout_ms);

#endif
