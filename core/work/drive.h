/* SPDX-License-Identifier: MIT */
/* drive.h: a lane whose application turns the loop itself and runs its requests side by side. */
#ifndef UWSGI_DRIVE_H
#define UWSGI_DRIVE_H

#include "work/lane.h"

/* Whether the application does. */
bool drive_is_wanted(const struct app *, const struct config *);
/* The host of such a lane's connections. */
extern const struct clients_host drive_host;

/* After lane_init(). */
void drive_init(struct lane *);
/* In the place of lane_run(). */
void drive_run(struct lane *);

#endif
