/* SPDX-License-Identifier: MIT */
/* vassal_talk.h: what the process of a vassal says, and what it is told. */
#ifndef UWSGI_VASSAL_TALK_H
#define UWSGI_VASSAL_TALK_H

#include "process/vassals.h"

/* Where others see it: as `shown` is now. */
void vassal_show(struct vassal *);
void vassal_show_state(struct vassal *, enum vassal_state);
/* Of its process; NULL: it has none. */
struct slot *vassal_slot(struct vassal *);
/* Over this socket, which is the vassal's from now on; -1: there is none. */
void vassal_listen(struct vassal *, int fd);
/* What it has said so far. */
void vassal_hear(struct vassal *);
/* The signal is for a process that cannot be told otherwise. */
void vassal_tell(const struct vassal *, const struct slot *, enum allegiance_word, int signal);

#endif
