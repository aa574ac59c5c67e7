/* SPDX-License-Identifier: MIT */
/* server.h: the connections of this process, known to client.c and server.c. */
#ifndef INSPECT_SERVER_H
#define INSPECT_SERVER_H

#include "inspect.h"

#include "http/head.h"

#include <ev.h>
#include <sys/socket.h>

/* Connections; of these so many may be busy with what is no probe, so that probes always find a place. */
enum { PLACES = 16, BUSY_MAX = 12, HEAD_MAX = 8192 };

enum phase {
	CLIENT_FREE,
	CLIENT_READS,   /* it may say a request */
	CLIENT_WAITS,   /* for its answer */
	CLIENT_TAKES,   /* its answer */
	CLIENT_STREAMS, /* an answer without an end */
	CLIENT_CLOSES,  /* it has been told all; its own end is waited for */
};

struct server {
	const struct settings *settings;
	const struct status *status;
	struct ev_loop *loop;
	struct ev_io *listening; /* [listening_count] */
	enum visitor *visitor;   /* [listening_count]: who comes there */
	size_t listening_count;
	struct client *clients; /* [PLACES] */
	struct events *events;
	struct gather *profile; /* the one that is under way, or NULL */
};

struct client {
	struct server *server;
	ev_io io;
	ev_timer deadline;
	enum phase phase;
	enum visitor visitor;
	ev_tstamp since; /* of the phase */
	bool busy;       /* with what is no probe */
	/* What it has said. */
	char in[HEAD_MAX];
	size_t have;
	struct http_search search;
	/* The present request. */
	bool head_only, keep, said_all;
	/* The present answer. */
	char *out; /* owned */
	size_t length, sent, size;
	void (*gone)(void *mine);
	void *mine;
};

int server_init(struct server *, const struct service_setup *, const struct settings *,
		struct error *);
void server_fini(struct server *);

/* Only this machine reaches it. */
bool is_loopback(const struct sockaddr_storage *);

/* client.c */
void client_begin(struct client *, struct server *, int fd, enum visitor);
/* Closes the connection at once; the place is free. */
void client_end(struct client *);
/* After a second: to who guesses passwords. */
void client_answer_late(struct client *, const struct answer *);

/* request.c */

/* Answers the request that stands at the beginning of what came, if it is whole. */
void request_look(struct client *);
/* What came is no request that could be answered, so nothing behind it can be either. */
void request_refuse(struct client *, int status, const char *why);

#endif
