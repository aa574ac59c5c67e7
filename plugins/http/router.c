/* SPDX-License-Identifier: MIT */
/* router.c: has whole requests answered by a uwsgi server, mostly the workers of this one: a
 * connection for each, so that the kernel hands it to who is idle.  What it says and reads is
 * written in packet.c; here are the connections, their clocks, and what the client is told when
 * nobody answers. */
#include "router.h"

#include "packet.h"
#include "settings.h"
#include "tunnel.h"

#include <errno.h>
#include <ev.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

/* Where all of a server's connections are taken, this is how soon another one is tried. */
static const double again_s = 0.005;

/* That the kernel cannot watch a connection, libev says only when something else happens: a timer
 * does, after this. */
static const double unwatched_s = 0.25;

/* Jobs that are kept for the next requests. */
enum { SPARE_JOBS = 64 };

/* Bytes that a client has not taken; beyond, the worker waits with the next ones, however few. */
enum { UNSENT_MAX = 65536 };

struct node {
	struct sockaddr_storage sa;
	size_t length;
};

struct router {
	const struct http_settings *settings;
	struct ev_loop *loop;
	struct node *nodes;
	size_t count, next;
	bool own; /* the node is this server's workers */
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

static void on_io(struct ev_loop *, ev_io *, int);
static void on_timer(struct ev_loop *, ev_timer *, int);

/* ---- jobs ---- */

static struct job *job_take(struct router *r)
{
	struct job *job = r->spare;

	if (job) {
		r->spare = job->next;
		r->spare_count--;
	} else {
		job = malloc(sizeof *job);
		if (!job)
			return NULL;
		job->router = r;
		ev_init(&job->io, on_io);
		job->io.data = job;
		ev_init(&job->timer, on_timer);
		job->timer.data = job;
	}
	job->io.fd = -1;
	job->large = NULL;
	job->nodes_tried = 0;
	job->body_sent = 0;
	job->lent = 0;
	return job;
}

static void job_return(struct job *job)
{
	struct router *r = job->router;

	if (r->spare_count >= SPARE_JOBS) {
		ev_timer_stop(r->loop, &job->timer);
		free(job);
		return;
	}
	job->next = r->spare;
	r->spare = job;
	r->spare_count++;
}

static void disconnect(struct job *job)
{
	if (job->io.fd < 0)
		return;
	ev_io_stop(job->router->loop, &job->io);
	close(job->io.fd);
	job->io.fd = -1;
}

static void set_timer(struct job *job, double seconds)
{
	struct ev_loop *loop = job->router->loop;

	ev_timer_stop(loop, &job->timer);
	ev_timer_set(&job->timer, seconds, 0.);
	ev_timer_start(loop, &job->timer);
}

/* A timer that runs is left alone when it fires early enough: it looks at the deadline. */
static void set_deadline(struct job *job, double seconds)
{
	struct ev_loop *loop = job->router->loop;

	job->deadline = gateway_now_s() + seconds;
	if (!ev_is_active(&job->timer) || ev_timer_remaining(loop, &job->timer) > seconds)
		set_timer(job, seconds);
}

static void watch(struct job *job, int events)
{
	struct ev_loop *loop = job->router->loop;

	if (ev_is_active(&job->io) && (job->io.events & (EV_READ | EV_WRITE)) == events)
		return;
	ev_io_stop(loop, &job->io);
	ev_io_set(&job->io, job->io.fd, events);
	ev_io_start(loop, &job->io);
	if (ev_timer_remaining(loop, &job->timer) > unwatched_s)
		set_timer(job, unwatched_s);
}

static void free_large(struct job *job)
{
	free(job->large);
	job->large = NULL;
}

/* ---- the end ---- */

/* The job is over; the response is the caller's to end, as the last thing it does: with that the
 * client's next request may begin. */
static struct response *finish(struct job *job)
{
	struct response *rs = job->rs;

	disconnect(job);
	free_large(job);
	job->rs = NULL;
	if (!job->lent)
		job_return(job);
	return rs;
}

static void give_up(struct job *job, int status, const char *why)
{
	struct slice method = uwsgi_request_find(job->rq, SLICE("REQUEST_METHOD"));
	struct slice uri = uwsgi_request_find(job->rq, SLICE("REQUEST_URI"));
	char gets[32], method_text[64], uri_text[256];

	snprintf(gets, sizeof gets, "%d", status);
	uwsgi_escape(method_text, sizeof method_text, method);
	uwsgi_escape(uri_text, sizeof uri_text, uri);
	uwsgi_log(UWSGI_ERROR, "http: %s %s: %s; the client gets %s", method_text, uri_text, why,
		  uwsgi_response_head_sent(job->rs) ? "a part of the answer" : gets);
	uwsgi_response_refuse(finish(job), status, (struct slice){ 0 });
}

static void fail_to_read(struct job *job)
{
	give_up(job, 502, job->phase == BODY ? "the answer broke off" : "no answer came");
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
	return sendmsg(job->io.fd, m, MSG_NOSIGNAL);
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
			watch(job, job->begin < job->end ? EV_WRITE : EV_READ | EV_WRITE);
			return;
		}
		if (n < 0 && (errno == EPIPE || errno == ECONNRESET) && job->begin == job->end) {
			/* It wants no more of the body: what it says may explain that. */
			job->phase = HEAD;
			watch(job, EV_READ);
			return;
		}
		fail_to_read(job);
		return;
	}
	job->phase = HEAD;
	watch(job, EV_READ);
}

/* ---- connecting ---- */

static bool asks_for_websocket(const struct job *job)
{
	return job->router->settings->websockets &&
	       http_is(uwsgi_request_find(job->rq, SLICE("HTTP_UPGRADE")), SLICE("websocket"));
}

static void start_sending(struct job *job)
{
	set_deadline(job, (double)job->router->settings->timeout_s);
	if (asks_for_websocket(job)) {
		job->phase = UPGRADING;
		watch(job, EV_WRITE);
		return;
	}
	job->phase = SENDING;
	send_request(job);
}

/* From here on client and server speak with each other. */
static void upgrade(struct job *job)
{
	struct router *r = job->router;
	char first[TUNNEL_BUFFER];
	size_t n = job->end - job->begin, unread = 0;
	int client = uwsgi_response_detach(job->rs, first + n, sizeof first - n, &unread);

	if (client < 0) {
		give_up(job, 502, "the connection cannot become a WebSocket");
		return;
	}
	memcpy(first, job->buffer + job->begin, n);
	int server = job->io.fd;

	ev_io_stop(r->loop, &job->io);
	job->io.fd = -1;
	finish(job);
	if (!tunnel_open(r->loop, client, server, (struct slice){ first, n + unread },
			 (double)r->settings->timeout_s))
		uwsgi_log(UWSGI_ERROR, "http: out of memory for a WebSocket");
}

static void try_to_connect(struct job *job);

/* The node does not take connections: another one may. */
static void try_next_node(struct job *job, int why)
{
	struct router *r = job->router;

	disconnect(job);
	if (++job->nodes_tried < r->count) {
		try_to_connect(job);
		return;
	}
	give_up(job, 502, why == ENOENT ? "there is no server at the address of http-to"
					: "nobody takes connections there");
}

/* The timer tries again, until the deadline. */
static void wait_for_room(struct job *job)
{
	disconnect(job);
	set_timer(job, again_s);
}

static void try_to_connect(struct job *job)
{
	struct router *r = job->router;
	const struct node *node = &r->nodes[r->next];
	int fd = socket(node->sa.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	r->out_of_descriptors = fd < 0 && (errno == EMFILE || errno == ENFILE);
	if (r->out_of_descriptors) {
		/* Other requests give theirs back when they end. */
		wait_for_room(job);
		return;
	}
	if (fd < 0) {
		give_up(job, 503, "the kernel has no memory for a connection to the server");
		return;
	}
	if (++r->next == r->count)
		r->next = 0;
	job->io.fd = fd;
	if (connect(fd, (const struct sockaddr *)&node->sa, (socklen_t)node->length) == 0)
		start_sending(job);
	else if (errno == EINPROGRESS)
		watch(job, EV_WRITE);
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

/* ---- the answer ---- */

/* A stretch of the buffer.  With `hold` the buffer waits for the client although the bytes are few:
 * others of it are under way. */
static bool pass(struct job *job, struct slice bytes, bool hold)
{
	bool lend = hold || bytes.n > UWSGI_COPY_MAX ||
		    uwsgi_response_unsent(job->rs) > UNSENT_MAX;

	job->lent += lend;
	return uwsgi_response_body(job->rs, bytes, lend ? job : NULL);
}

/* What is in the buffer, as far as it belongs to a body whose end is known by its length or by the
 * connection's.  MORE: there is more to come; BAD: the client is gone. */
static enum parsed pass_plain(struct job *job)
{
	struct slice bytes = { job->buffer + job->begin, job->end - job->begin };
	bool alive = true;

	if (job->left >= 0 && bytes.n > (uint64_t)job->left)
		bytes.n = (size_t)job->left;
	if (bytes.n > 0)
		alive = pass(job, bytes, false);
	if (job->left >= 0)
		job->left -= (int64_t)bytes.n;
	return !alive ? PARSE_BAD : job->left == 0 ? PARSE_DONE : PARSE_MORE;
}

/* The same of a chunked body.  Many small chunks together keep the worker waiting, as one of their
 * size does. */
static enum parsed pass_chunks(struct job *job)
{
	enum parsed parsed = PARSE_MORE;
	size_t passed = 0;

	while (parsed == PARSE_MORE && job->begin < job->end) {
		struct slice in = { job->buffer + job->begin, job->end - job->begin }, data;
		struct http_refusal why;

		parsed = http_next_chunk(&job->chunk, in, &job->begin, &data, &why);
		passed += data.n;
		if (data.n > 0 && !pass(job, data, passed > UWSGI_COPY_MAX && !job->lent))
			parsed = PARSE_BAD;
	}
	return parsed;
}

/* Gives what is in the buffer to the response, which may end the job. */
static void pass_on(struct job *job)
{
	enum parsed parsed = job->chunked ? pass_chunks(job) : pass_plain(job);

	job->begin = job->end = 0;
	if (parsed == PARSE_MORE && !uwsgi_response_flush(job->rs))
		parsed = PARSE_BAD;
	if (parsed == PARSE_DONE)
		uwsgi_response_end(finish(job));
	else if (parsed == PARSE_BAD)
		uwsgi_response_refuse(finish(job), 502, (struct slice){ 0 });
	else if (job->lent)
		ev_io_stop(job->router->loop, &job->io);
}

static void refuse_head(struct job *job, const char *why)
{
	char text[128];

	snprintf(text, sizeof text, "the head of the answer is refused: %s", why);
	give_up(job, 502, text);
}

static bool asks_for_head_only(const struct job *job)
{
	return http_same(uwsgi_request_find(job->rq, SLICE("REQUEST_METHOD")), SLICE("HEAD"));
}

/* came: bytes that were not looked at yet. */
static void take_head(struct job *job, size_t came)
{
	size_t seen = job->end - came, from = seen > 3 ? seen - 3 : 0;
	const char *p = job->buffer, *end = memmem(p + from, job->end - from, "\r\n\r\n", 4);
	const char *why = "it is larger than 64 KiB";
	struct answer a;

	if (!end && job->end < sizeof job->buffer)
		return;
	size_t n = end ? (size_t)(end - p) + 4 : 0;

	if (!end || !packet_read_answer((struct slice){ p, n }, &a, &why)) {
		refuse_head(job, why);
		return;
	}
	uwsgi_response_start(job->rs, a.line);
	for (size_t i = 0; i < a.head.count; i++)
		uwsgi_response_header(job->rs, a.head.fields[i].name, a.head.fields[i].value);
	job->phase = BODY;
	job->begin = n;
	job->left = a.length;
	job->chunked = a.chunked && !asks_for_head_only(job);
	job->chunk = (struct http_chunked){ 0 };
	pass_on(job);
}

/* The server has closed: in the middle, or as its way to end a body of unknown length, which another
 * server than this one's workers may have. */
static void on_end(struct job *job)
{
	if (job->phase != BODY || job->chunked)
		fail_to_read(job);
	else
		uwsgi_response_end(finish(job));
}

static void read_answer(struct job *job)
{
	ssize_t n = recv(job->io.fd, job->buffer + job->end, sizeof job->buffer - job->end, 0);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n < 0) {
		fail_to_read(job);
		return;
	}
	if (n == 0) {
		on_end(job);
		return;
	}
	job->end += (size_t)n;
	if (job->phase == SENDING) {
		/* An answer before it has the whole body: it does not want the rest. */
		job->phase = HEAD;
		watch(job, EV_READ);
	}
	set_deadline(job, (double)job->router->settings->timeout_s);
	if (job->phase == BODY)
		pass_on(job);
	else
		take_head(job, (size_t)n);
}

/* ---- events ---- */

static void on_io(struct ev_loop *loop, ev_io *w, int events)
{
	struct job *job = w->data;

	(void)loop;
	if (events & EV_ERROR)
		give_up(job, 503, "the kernel cannot watch the connection to the server");
	else if (job->phase == CONNECTING)
		on_connected(job);
	else if (job->phase == UPGRADING)
		upgrade(job);
	else if (events & EV_READ)
		read_answer(job);
	else
		send_request(job);
}

static void on_timer(struct ev_loop *loop, ev_timer *w, int events)
{
	struct job *job = w->data;
	const struct router *r = job->router;

	(void)loop;
	(void)events;
	if (!job->rs)
		return;
	if (job->deadline > gateway_now_s()) {
		if (job->phase == CONNECTING && job->io.fd < 0)
			try_to_connect(job);
		else
			set_deadline(job, job->deadline - gateway_now_s());
		return;
	}
	/* It is the client that keeps the answer waiting, which has its own clock. */
	if (job->lent) {
		set_deadline(job, (double)job->router->settings->timeout_s);
		return;
	}
	if (job->phase == CONNECTING && r->out_of_descriptors)
		give_up(job, 503, "no descriptor was free within http-connect-timeout");
	else
		give_up(job, 504, job->phase == CONNECTING
				  ? "no server took it within http-connect-timeout"
				  : "no answer came within http-timeout");
}

/* ---- as a gateway ---- */

static void needs(const struct config *cfg, struct gateway_needs *n)
{
	const struct http_settings *s = http_settings(cfg);

	*n = (struct gateway_needs){ .processes = (int)s->processes,
				     .workers = s->to.count == 0,
				     .buffer_size = s->buffer_size,
				     .post_buffering = s->post_buffering };
}

static int find_nodes(struct router *r, const struct gateway_setup *setup, struct error *e)
{
	const struct option_list *to = &r->settings->to;

	r->own = to->count == 0;
	r->count = to->count ? to->count : 1;
	r->nodes = calloc(r->count, sizeof *r->nodes);
	if (!r->nodes)
		return uwsgi_error_set(e, "out of memory");
	if (to->count == 0) {
		memcpy(&r->nodes[0].sa, setup->workers, setup->workers_length);
		r->nodes[0].length = setup->workers_length;
	}
	for (size_t i = 0; i < to->count; i++)
		if (uwsgi_address(to->items[i], (struct sockaddr *)&r->nodes[i].sa,
				  &r->nodes[i].length, e))
			return -1;
	return 0;
}

static int write_more(struct router *r, struct error *e)
{
	const struct option_list *variables = &r->settings->variables;

	r->more = malloc(PACKET_MAX);
	if (!r->more)
		return uwsgi_error_set(e, "out of memory");
	for (size_t i = 0; i < variables->count; i++) {
		const char *text = variables->items[i], *equals = strchr(text, '=');
		struct slice name = { text, (size_t)(equals - text) };
		struct slice value = { equals + 1, strlen(equals + 1) };

		if (!packet_add(r->more, &r->more_size, name, value))
			return uwsgi_error_set(e, "http-var: there are too many");
	}
	packet_add(r->more, &r->more_size, SLICE("UWSGI_ROUTER"), SLICE("http"));
	return 0;
}

static int start(const struct gateway_setup *setup, void **state, struct error *e)
{
	struct router *r = calloc(1, sizeof *r);

	*state = r;
	if (!r)
		return uwsgi_error_set(e, "out of memory");
	r->settings = http_settings(setup->config);
	r->loop = setup->loop;
	return find_nodes(r, setup, e) || write_more(r, e) ? -1 : 0;
}

/* The packet, where send_some() looks for it.  False: there is none. */
static bool write_packet(struct job *job)
{
	const struct router *r = job->router;
	const struct http_settings *s = r->settings;
	struct slice more = { r->more, r->more_size };
	size_t size = packet_size(job->rq, more);

	if (size == 0 || size > (r->own ? PACKET_MAX_OWN : PACKET_MAX) ||
	    (size > sizeof job->buffer && asks_for_websocket(job)))
		return false;
	if (size > sizeof job->buffer) {
		job->large = malloc(size);
		if (!job->large)
			return false;
	}
	packet_write(job->large ? job->large : job->buffer, job->rq, more, (unsigned)s->modifier1,
		     r->own ? (unsigned)((size - 4) >> 16) : (unsigned)s->modifier2);
	job->begin = 0;
	job->end = size;
	return true;
}

/* A server of its own knows only this router as its peer: what a stranger says of https is answered
 * here. */
static bool set_scheme(const struct router *r, struct request *rq)
{
	if (r->own ||
	    (!uwsgi_request_find(rq, SLICE("HTTP_X_FORWARDED_PROTO")).n &&
	     !uwsgi_request_find(rq, SLICE("HTTP_X_FORWARDED_SSL")).n) ||
	    uwsgi_request_trusts_forwarded(rq))
		return true;
	return uwsgi_request_var(rq, SLICE("UWSGI_SCHEME"), SLICE("http"));
}

static void *handle(void *state, struct request *rq, struct response *rs)
{
	struct router *r = state;
	const struct http_settings *s = r->settings;
	struct job *job = job_take(r);

	if (!job) {
		uwsgi_response_refuse(rs, 503, SLICE("out of memory"));
		return NULL;
	}
	job->rq = rq;
	job->rs = rs;
	job->phase = CONNECTING;
	job->body = uwsgi_request_body_view(rq);
	job->passes_file = r->own && job->body.fd >= 0;
	if (!set_scheme(r, rq) || !write_packet(job)) {
		uwsgi_response_refuse(finish(job), 431,
				      SLICE("the request's head does not fit into a uwsgi packet"));
		return NULL;
	}
	set_deadline(job,
		     (double)(s->connect_timeout_s ? s->connect_timeout_s : s->timeout_s));
	try_to_connect(job);
	return job;
}

static void gone(void *state, void *handled)
{
	(void)state;
	uwsgi_response_end(finish(handled));
}

static void release(void *state, void *const *owners, size_t count)
{
	(void)state;
	for (size_t i = 0; i < count; i++) {
		struct job *job = owners[i];

		if (--job->lent > 0)
			continue;
		if (job->rs)
			watch(job, EV_READ);
		else
			job_return(job);
	}
}

const struct gateway router_gateway = {
	.name = "http",
	.needs = needs,
	.start = start,
	.handle = handle,
	.gone = gone,
	.release = release,
};
