/* SPDX-License-Identifier: MIT */
/* raise.h: the socket over which all processes of the server tell the master of alarms. */
#ifndef UWSGI_RAISE_H
#define UWSGI_RAISE_H

#include <uwsgi/plugin.h>

/* uwsgi_alarm() writes there from now on, in this process and in those that it forks; -1: nowhere. */
void raise_set_socket(int fd);
/* Takes a message from the other end into the buffer, as two parts of it.  False: there is none now. */
bool raise_receive(int fd, char *buffer, size_t size, struct slice *name, struct slice *text);

#endif
