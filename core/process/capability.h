/* SPDX-License-Identifier: MIT */
/* capability.h: rights of root that a process keeps when it becomes another user. */
#ifndef UWSGI_CAPABILITY_H
#define UWSGI_CAPABILITY_H

#include <uwsgi/plugin.h>

/* "setgid,setuid,net_bind_service": each its bit.  Returns -1 with the name that is none. */
int capability_parse(const char *list, uint64_t *bits, struct error *);
/* To be called before the user changes: the rights are not lost with it. */
int capability_prepare(struct error *);
/* And after: these rights, and no other. */
int capability_keep(uint64_t bits, struct error *);

#endif
