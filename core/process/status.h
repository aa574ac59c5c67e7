/* SPDX-License-Identifier: MIT */
/* status.h: what a service sees of the server. */
#ifndef UWSGI_STATUS_H
#define UWSGI_STATUS_H

#include "wire/listener.h"
#include "work/scoreboard.h"

struct status {
	struct scoreboard board; /* of no slots: none has come yet */
	const struct listeners *listeners;
};

#endif
