/* SPDX-License-Identifier: MIT */
/* spawn.h: the system calls of a generation: how its processes are made and ended. */
#ifndef UWSGI_SPAWN_H
#define UWSGI_SPAWN_H

#include "process/generation.h"

extern const struct generation_calls spawn_calls;

#endif
