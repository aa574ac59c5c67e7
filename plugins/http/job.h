/* SPDX-License-Identifier: MIT */
/* job.h: one request of the router on its way to a uwsgi server, and its answer on the way back. */
#ifndef HTTP_JOB_H
#define HTTP_JOB_H

#include "http.h"
#include "packet.h"
#include "settings.h"

#include <ev.h>
#include <sys/socket.h>

struct node {
	struct sockaddr_storage sa;
	size_t length;
};

struct router {
	const struct http_settings *settings;
	struct ev_loop *loop;
	struct node *nodes;
	size_t count, next;
	bool own;   /* the node is this server's workers */
	char *more; /* variables that each packet has */
	size_t more_size;
	struct job *spare;
	size_t spare_count;
	bool out_of_descriptors;
};

enum phase { CONNECTING, SENDING, HEAD, BODY, UPGRADING };

/* One request on its way.  The buffer holds first what is sent, then what has come. */
struct job {
	struct job *next;
	struct router *router;
	struct request *rq;
	struct response *rs; /* NULL: it has ended; the buffer may still be lent */
	enum phase phase;
	ev_io io; /* the connection to the server; fd -1: none */
	ev_timer timer;
	double deadline;
	size_t nodes_tried;
	struct body_view body;
	bool said_all;    /* the client says no more */
	bool passes_file; /* the body goes to a worker as the file that it is in */
	int64_t body_sent;
	size_t begin, end; /* of what is in the buffer and still to be used */
	int64_t left;      /* of the response's body; -1: its length was not said */
	bool chunked;      /* then it is in chunks; else until the connection ends */
	struct http_chunked chunk;
	size_t lent; /* stretches of the buffer that the response has, and gives back */
	char *large; /* a packet that the buffer does not hold; NULL: it does */
	char buffer[PACKET_MAX];
};

/* NULL: no memory. */
struct job *job_take(struct router *);
/* The job is over; the response is the caller's to end, as the last thing it does: with that the
 * client's next request may begin. */
struct response *job_finish(struct job *);
/* The client is told so, unless its answer has begun, and the log why. */
void job_give_up(struct job *, int status, const char *why);
/* The client says no more.  This server's workers hear of it, as it says nothing about who else may be
 * there. */
void job_say_all(struct job *);
/* The server ended, or an error came, where an answer was due. */
void job_fail_to_read(struct job *);
/* The response has given back all stretches of the buffer. */
void job_released(struct job *);

void job_set_deadline(struct job *, double seconds);
void job_watch(struct job *, int events);

bool job_asks_for_websocket(const struct job *);
/* Looks for a server that takes the request, and sends it there. */
void job_connect(struct job *);
/* What comes from the server is read, and given to the response. */
void job_read_answer(struct job *);

#endif
