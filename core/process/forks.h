/* SPDX-License-Identifier: MIT */
/* forks.h: the processes that the master forks.  All return the pid, or -1 with errno.  data: the master,
 * of which a child keeps what it needs and closes the rest. */
#ifndef UWSGI_FORKS_H
#define UWSGI_FORKS_H

#include "process/generation.h"

struct attached;
struct daemon;
struct vassal;

/* Of a generation; they speak over this end of their channel. */
pid_t forks_zygote(const struct generation *, int channel);
pid_t forks_gateway(const struct generation *, const struct slot *, int channel);
/* With the configuration in force, as all that follow. */
pid_t forks_service(void *data, const struct service *, const char *name, int channel);
pid_t forks_daemon(void *data, const struct daemon *);
/* A command whose end is waited for with that of all that it has started. */
pid_t forks_job(void *data, const struct attached *, const char *name);
/* One that reads from input, and whose words are not for the log. */
pid_t forks_alarm(void *data, const char *command, const char *name, int input);
pid_t forks_vassal(void *data, const struct vassal *, int channel);
pid_t forks_command(void *data, const char *command, const char *name);

#endif
