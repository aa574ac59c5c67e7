/* SPDX-License-Identifier: MIT */
/* job.c: a connection for each request, so that the kernel hands it to who is idle; its clocks, what
 * is sent, and what the client is told when nobody answers. */
#include "job.h"

#include "tunnel.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/sendfile.h>
#include <unistd.h>

/* Where all of a server's connections are taken, this is how soon another one is tried. */
static const double again_s = 0.005;

/* That the kernel cannot watch a connection, libev says only when something else happens: a timer
 * does, after this. */
static const double unwatched_s = 0.25;

static void on_io(struct ev_loop *, ev_io *, int);
static void on_timer(struct ev_loop *, ev_timer *, int);
static void on_release(struct loan *);

/* ---- jobs ---- */

struct job *job_take(struct upstream *u, struct request *rq, struct response *rs)
{
	struct job *job = u->spare;

	if (job) {
		u->spare = job->next;
		u->spare_count--;
	} else {
		job = malloc(sizeof *job);
		if (!job)
			return NULL;
		job->upstream = u;
		job->loan.release = on_release;
		ev_init(&job->io, on_io);
		job->io.data = job;
		ev_init(&job->timer, on_timer);
		job->timer.data = job;
	}
	u->in_use++;
	job->rq = rq;
	job->rs = rs;
	job->mine = NULL;
	job->phase = CONNECTING;
	job->body = uwsgi_request_body_view(rq);
	job->passes_file = u->speaks == SPEAKS_WORKER && job->body.fd >= 0;
	job->io.fd = -1;
	job->large = NULL;
	job->nodes_tried = 0;
	job->body_sent = 0;
	job->lent = 0;
	job->interim = 0;
	job->failed = false;
	job->said_all = false;
	return job;
}

static void job_return(struct job *job)
{
	struct upstream *u = job->upstream;

	u->in_use--;
	if (u->spare_count >= u->spare_most) {
		ev_timer_stop(u->loop, &job->timer);
		free(job);
		return;
	}
	job->next = u->spare;
	u->spare = job;
	u->spare_count++;
}

static void disconnect(struct job *job)
{
	if (job->io.fd < 0)
		return;
	ev_io_stop(job->upstream->loop, &job->io);
	close(job->io.fd);
	job->io.fd = -1;
}

static void set_timer(struct job *job, double seconds)
{
	struct ev_loop *loop = job->upstream->loop;

	ev_timer_stop(loop, &job->timer);
	ev_timer_set(&job->timer, seconds, 0.);
	ev_timer_start(loop, &job->timer);
}

/* A timer that runs is left alone when it fires early enough: it looks at the deadline. */
void job_set_deadline(struct job *job, double seconds)
{
	struct ev_loop *loop = job->upstream->loop;

	job->deadline = gateway_now_s() + seconds;
	if (!ev_is_active(&job->timer) || ev_timer_remaining(loop, &job->timer) > seconds)
		set_timer(job, seconds);
}

void job_watch(struct job *job, int events)
{
	struct ev_loop *loop = job->upstream->loop;

	if (ev_is_active(&job->io) && (job->io.events & (EV_READ | EV_WRITE)) == events)
		return;
	ev_io_stop(loop, &job->io);
	ev_io_set(&job->io, job->io.fd, events);
	ev_io_start(loop, &job->io);
	if (ev_timer_remaining(loop, &job->timer) > unwatched_s)
		set_timer(job, unwatched_s);
}

char *job_head(struct job *job, size_t size)
{
	job->begin = 0;
	job->end = size;
	if (size <= sizeof job->buffer)
		return job->buffer;
	job->large = malloc(size);
	return job->large;
}

/* The body goes on meanwhile, as some servers answer before they have read all. */
void job_watch_answer(struct job *job)
{
	job_watch(job, job->body_sent < job->body.length ? EV_READ | EV_WRITE : EV_READ);
}

static void free_large(struct job *job)
{
	free(job->large);
	job->large = NULL;
}

/* ---- the end ---- */

struct response *job_finish(struct job *job)
{
	struct response *rs = job->rs;

	if (job->upstream->ending)
		job->upstream->ending(job);
	disconnect(job);
	free_large(job);
	job->rs = NULL;
	if (!job->lent)
		job_return(job);
	return rs;
}

void job_give_up(struct job *job, int status, const char *why)
{
	struct slice method = uwsgi_request_find(job->rq, SLICE("REQUEST_METHOD"));
	struct slice uri = uwsgi_request_find(job->rq, SLICE("REQUEST_URI"));
	char gets[32], method_text[64], uri_text[256];
	const struct upstream *u = job->upstream;
	void *mine = job->mine;

	snprintf(gets, sizeof gets, "%d", status);
	uwsgi_escape(method_text, sizeof method_text, method);
	uwsgi_escape(uri_text, sizeof uri_text, uri);
	/* A worker that ends it where the client has left is right. */
	if (!job->said_all)
		uwsgi_log(UWSGI_ERROR, "%s: %s %s: %s; the client gets %s", u->name, method_text,
			  uri_text, why,
			  uwsgi_response_head_sent(job->rs) ? "a part of the answer" : gets);
	job->failed = true;
	struct response *rs = job_finish(job);

	if (u->refuse)
		u->refuse(mine, rs, status);
	else
		uwsgi_response_refuse(rs, status, (struct slice){ 0 });
}

void job_fail_to_read(struct job *job)
{
	job_give_up(job, 502, job->phase == BODY ? "the answer broke off" : "no answer came");
}

/* The response has given a stretch of the buffer back. */
static void on_release(struct loan *loan)
{
	struct job *job = (struct job *)loan;

	if (--job->lent > 0)
		return;
	if (job->rs)
		job_watch_answer(job);
	else
		job_return(job);
}

/* ---- sending ---- */

/* The file goes with the first of the bytes. */
static ssize_t send_with_file(const struct job *job, struct msghdr *m)
{
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(sizeof(int))];
	} control = { 0 };

	if (job->begin == 0) {
		m->msg_control = control.space;
		m->msg_controllen = sizeof control.space;
		struct cmsghdr *c = CMSG_FIRSTHDR(m);

		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(c), &job->body.fd, sizeof(int));
	}
	return sendmsg(job->io.fd, m, MSG_NOSIGNAL); /* NOLINT: m is not used after this */
}

static ssize_t send_some(struct job *job)
{
	int64_t body_left = job->body.length - job->body_sent;
	char *packet = job->large ? job->large : job->buffer;
	struct iovec v[2] = { { packet + job->begin, job->end - job->begin } };
	struct msghdr m = { .msg_iov = v, .msg_iovlen = 1 };
	off_t at = job->body_sent;

	if (job->passes_file)
		return send_with_file(job, &m);
	if (job->body.fd >= 0) {
		if (job->begin == job->end)
			return sendfile(job->io.fd, job->body.fd, &at, (size_t)body_left);
		return send(job->io.fd, v[0].iov_base, v[0].iov_len, MSG_NOSIGNAL | MSG_MORE);
	}
	v[1].iov_base = (char *)job->body.bytes.p + job->body_sent;
	v[1].iov_len = (size_t)body_left;
	m.msg_iovlen += body_left > 0;
	return sendmsg(job->io.fd, &m, MSG_NOSIGNAL);
}

static void note_sent(struct job *job, size_t n)
{
	size_t head = job->end - job->begin;

	if (n < head) {
		job->begin += n;
		return;
	}
	job->begin = job->end = 0;
	free_large(job);
	job->body_sent = job->passes_file ? job->body.length : job->body_sent + (int64_t)(n - head);
}

static void end_sending(struct job *job)
{
	job_watch_answer(job);
	if (job->said_all)
		job_say_all(job);
}

/* The whole request, as far as the server takes it. */
static void send_request(struct job *job)
{
	while (job->begin < job->end || job->body_sent < job->body.length) {
		ssize_t n = send_some(job);

		if (n > 0) {
			note_sent(job, (size_t)n);
			continue;
		}
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == ETOOMANYREFS && job->passes_file) {
			/* More files wait for workers than the kernel allows. */
			job->passes_file = false;
			continue;
		}
		if (n < 0 && errno == EAGAIN) {
			/* It may answer before it has taken all. */
			job_set_deadline(job, job->upstream->answer_s);
			job_watch(job, job->begin < job->end ? EV_WRITE : EV_READ | EV_WRITE);
			return;
		}
		if (n < 0 && (errno == EPIPE || errno == ECONNRESET) && job->begin == job->end) {
			/* It wants no more of the body: what it says may explain that. */
			job->body_sent = job->body.length;
			break;
		}
		job_fail_to_read(job);
		return;
	}
	job->phase = HEAD;
	end_sending(job);
}

/* What is left of the body while the answer comes, which has the buffer. */
static void send_rest(struct job *job)
{
	off_t at = job->body_sent;
	size_t left = (size_t)(job->body.length - at);
	ssize_t n = job->body.fd >= 0
			    ? sendfile(job->io.fd, job->body.fd, &at, left)
			    : send(job->io.fd, job->body.bytes.p + at, left, MSG_NOSIGNAL);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	job->body_sent = n > 0 ? job->body_sent + n : job->body.length;
	job_set_deadline(job, job->upstream->answer_s);
	if (job->body_sent == job->body.length)
		end_sending(job);
}

void job_say_all(struct job *job)
{
	job->said_all = true;
	if (job->upstream->speaks == SPEAKS_WORKER && (job->phase == HEAD || job->phase == BODY) &&
	    job->body_sent == job->body.length)
		shutdown(job->io.fd, SHUT_WR);
}

/* ---- connecting ---- */

bool job_asks_for_websocket(const struct job *job)
{
	return job->upstream->upgrade &&
	       uwsgi_same_name(uwsgi_request_find(job->rq, SLICE("HTTP_UPGRADE")),
			       SLICE("websocket"));
}

static void start_sending(struct job *job)
{
	job_set_deadline(job, job->upstream->answer_s);
	if (job_asks_for_websocket(job)) {
		job->phase = UPGRADING;
		job_watch(job, EV_WRITE);
		return;
	}
	job->phase = SENDING;
	send_request(job);
}

/* The node does not take connections: another one may. */
static void try_next_node(struct job *job, int why)
{
	struct upstream *u = job->upstream;
	char text[256];

	disconnect(job);
	if (++job->nodes_tried < u->count) {
		job_connect(job);
		return;
	}
	snprintf(text, sizeof text, "%s %s",
		 why == ENOENT ? "there is no server at" : "nobody takes connections at", u->where);
	job_give_up(job, 502, text);
}

/* The timer tries again, until the deadline. */
static void wait_for_room(struct job *job)
{
	disconnect(job);
	set_timer(job, again_s);
}

void job_connect(struct job *job)
{
	struct upstream *u = job->upstream;
	const struct node *node = &u->nodes[u->next];
	int fd = socket(node->sa.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	u->out_of_descriptors = fd < 0 && (errno == EMFILE || errno == ENFILE);
	if (u->out_of_descriptors) {
		/* Other requests give theirs back when they end. */
		wait_for_room(job);
		return;
	}
	if (fd < 0) {
		job_give_up(job, 503, "the kernel has no memory for a connection to the server");
		return;
	}
	if (++u->next == u->count)
		u->next = 0;
	job->io.fd = fd;
	if (connect(fd, (const struct sockaddr *)&node->sa, (socklen_t)node->length) == 0)
		start_sending(job);
	else if (errno == EINPROGRESS)
		job_watch(job, EV_WRITE);
	else if (errno == EAGAIN)
		wait_for_room(job);
	else
		try_next_node(job, errno);
}

static void on_connected(struct job *job)
{
	int why = 0;
	socklen_t length = sizeof why;

	getsockopt(job->io.fd, SOL_SOCKET, SO_ERROR, &why, &length);
	if (why)
		try_next_node(job, why);
	else
		start_sending(job);
}

/* ---- events ---- */

static void on_io(struct ev_loop *loop, ev_io *w, int events)
{
	struct job *job = w->data;

	(void)loop;
	if (events & EV_ERROR)
		job_give_up(job, 503, "the kernel cannot watch the connection to the server");
	else if (job->phase == CONNECTING)
		on_connected(job);
	else if (job->phase == UPGRADING)
		job->upstream->upgrade(job);
	else if (events & EV_READ)
		job_read_answer(job);
	else if (job->phase == SENDING)
		send_request(job);
	else
		send_rest(job);
}

static void give_up_late(struct job *job)
{
	const struct upstream *u = job->upstream;
	bool connecting = job->phase == CONNECTING;
	bool full = connecting && u->out_of_descriptors;
	char text[128];

	snprintf(text, sizeof text, "%s within %s",
		 full         ? "no descriptor was free"
		 : connecting ? "no server took it"
			      : "no answer came",
		 connecting ? u->connect_option : u->answer_option);
	job_give_up(job, full ? 503 : 504, text);
}

static void on_timer(struct ev_loop *loop, ev_timer *w, int events)
{
	struct job *job = w->data;
	const struct upstream *u = job->upstream;

	(void)loop;
	(void)events;
	if (!job->rs)
		return;
	if (job->deadline > gateway_now_s()) {
		if (job->phase == CONNECTING && job->io.fd < 0)
			job_connect(job);
		else
			job_set_deadline(job, job->deadline - gateway_now_s());
		return;
	}
	/* It is the client that keeps the answer waiting, which has its own clock. */
	if (job->lent) {
		job_set_deadline(job, u->answer_s);
		return;
	}
	give_up_late(job);
}

void upstream_fini(struct upstream *u)
{
	for (struct job *job; (job = u->spare);) {
		u->spare = job->next;
		ev_timer_stop(u->loop, &job->timer);
		free(job);
	}
	free(u->nodes);
}
