/* SPDX-License-Identifier: MIT */
/* contract.h: whether a plugin keeps to plugin.h; asked once, when it is loaded. */
#ifndef UWSGI_CONTRACT_H
#define UWSGI_CONTRACT_H

#include <uwsgi/plugin.h>

/* -1 with what is missing or wrong: "plugin x: protocol.parse is missing". */
int contract_check(const struct plugin *, struct error *);

/* A copy in which members that may be NULL do nothing, so that nobody has to ask. */
struct app contract_complete(const struct app *);

#endif
