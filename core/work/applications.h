/* SPDX-License-Identifier: MIT */
/* applications.h: which plugin's application runs, or which of several below which path. */
#ifndef UWSGI_APPLICATIONS_H
#define UWSGI_APPLICATIONS_H

#include "work/loader.h"

/* The application that this configuration names; the only one there is; or, with mount-plugin, one
 * that hands each request to the right one.  This process then runs what was found last.  NULL with
 * what is wrong. */
const struct app *applications_find(const struct loader *, const struct config *, struct error *);

#endif
