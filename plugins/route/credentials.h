/* SPDX-License-Identifier: MIT */
/* credentials.h: a name and a password, as clients say them in HTTP's Basic scheme. */
#ifndef ROUTE_CREDENTIALS_H
#define ROUTE_CREDENTIALS_H

#include <uwsgi/plugin.h>

enum { CREDENTIALS_MAX = 512 };

/* "user:password" of the field Authorization, ended with a zero.  False: it holds none, or a long one. */
bool credentials_read(struct slice field, char to[CREDENTIALS_MAX], size_t *n);
/* In a time that does not depend on how much of a is right. */
bool is_secret(const char *a, size_t an, const char *b, size_t bn);

#endif
