/* SPDX-License-Identifier: MIT */
/* job.h: one request on its way to another server, and its answer on the way back. */
#ifndef HTTP_JOB_H
#define HTTP_JOB_H

#include "chunked.h"
#include "packet.h"
#include "reply.h"

#include <ev.h>
#include <sys/socket.h>

struct job;

struct node {
	struct sockaddr_storage sa;
	size_t length;
};

/* Where requests are passed on to, and what their owner wants to hear.  On the thread of its loop. */
struct upstream {
	const char *name; /* for the log: "http" */
	struct ev_loop *loop;
	enum speaks speaks;
	struct node *nodes; /* owned; in turn */
	size_t count, next;
	/* Sentences about nodes say this: "the address of http-to". */
	const char *where;
	double connect_s, answer_s;
	const char *connect_option, *answer_option; /* they set these */
	size_t spare_most;                          /* jobs that are kept for the next requests */
	/* The client wants to speak a protocol of its own with the server, which is connected now; NULL:
	 * there is no such wish. */
	void (*upgrade)(struct job *);
	/* The head of an answer is known, and not said yet.  False: the owner has ended job and
	 * response.  NULL: there is nothing to be done. */
	bool (*head)(struct job *);
	/* The job is over; then its response ends, or, when it has failed, refuse() is called.  NULL: there
	 * is nothing to be done. */
	void (*ending)(struct job *);
	/* The server gave no answer, or not all of it; ends the response.  NULL: uwsgi_response_refuse()
	 * does. */
	void (*refuse)(void *mine, struct response *, int status);

	size_t in_use; /* jobs */
	struct job *spare;
	size_t spare_count;
	bool out_of_descriptors;
};

enum phase { CONNECTING, SENDING, HEAD, BODY, UPGRADING };

/* The buffer holds first what is sent, then what has come. */
struct job {
	struct loan loan; /* first: the loan's address is this one's */
	struct job *next;
	struct upstream *upstream;
	void *mine; /* the owner's */
	struct request *rq;
	struct response *rs; /* NULL: it has ended; the buffer may still be lent */
	enum phase phase;
	ev_io io; /* the connection to the server; fd -1: none */
	ev_timer timer;
	double deadline;
	size_t nodes_tried;
	struct body_view body;
	bool failed;      /* what came is not what the client gets */
	bool said_all;    /* the client says no more */
	bool passes_file; /* the body goes to a worker as the file that it is in */
	int64_t body_sent;
	size_t begin, end; /* of what is in the buffer and still to be used */
	int64_t left;      /* of the response's body; -1: its length was not said */
	unsigned interim;  /* answers of 1xx that have come */
	bool bodiless;     /* its status is of answers without a body, whatever the head says */
	bool chunked;      /* without a length, it is in chunks; else until the connection ends */
	struct http_chunked chunk;
	size_t lent; /* stretches of the buffer that the response has, and gives back */
	char *large; /* a head that the buffer does not hold; NULL: it does */
	char buffer[PACKET_MAX];
};

/* Frees its nodes and spare jobs; no job is in use. */
void upstream_fini(struct upstream *);

/* NULL: no memory. */
struct job *job_take(struct upstream *, struct request *, struct response *);
/* Where its head is to be written, so long; NULL: no memory. */
char *job_head(struct job *, size_t);
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

void job_set_deadline(struct job *, double seconds);
void job_watch(struct job *, int events);
void job_watch_answer(struct job *);

bool job_asks_for_websocket(const struct job *);
/* Looks for a server that takes the request, and sends it there: its head and its body. */
void job_connect(struct job *);
/* answer.c: what comes from the server is read, and given to the response. */
void job_read_answer(struct job *);

#endif
