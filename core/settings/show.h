/* SPDX-License-Identifier: MIT */
/* show.h: the effective configuration, with where each value came from. */
#ifndef UWSGI_SHOW_H
#define UWSGI_SHOW_H

#include "settings/config.h"

#include <stdio.h>

/* As an ini file that says the same again. */
void show_text(const struct config *, FILE *);
/* As one JSON document. */
void show_json(const struct config *, FILE *);

#endif
