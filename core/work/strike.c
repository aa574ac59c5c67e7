/* SPDX-License-Identifier: MIT */
/* strike.c: gives a request up on the watchdog's thread, which holds it meanwhile, and with it the
 * connections of its lane: a lane that comes back touches none before it has asked.  It may as well hang
 * in the application for ever: nothing here waits for it, and what the application may be changing just
 * now is not looked at.  The client comes first, then the others of the lane, then the master, which
 * has another worker take over. */
#include "work/strike.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/sock.h"
#include "wire/connection.h"
#include "wire/migrate.h"
#include "work/channel.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

void striker_init(struct striker *s, const struct lane_setup *setup, int channel, int slot)
{
	*s = (struct striker){ .setup = setup, .channel = channel, .slot = slot };
}

/* ---- words ---- */

void striker_name(const struct striker *s, const struct lane *lane, char who[STRIKE_WHO])
{
	int n = snprintf(who, STRIKE_WHO, "worker %d (pid %ld)", s->setup->worker_id,
			 (long)s->setup->pid);

	if (s->setup->lanes > 1)
		snprintf(who + n, (size_t)(STRIKE_WHO - n), ", thread %d", lane->index + 1);
}

static struct slice variable(const struct lane *lane, struct slice name)
{
	return uwsgi_request_find(&lane->running->rq, name);
}

size_t strike_tell(struct slice method, struct slice uri, char what[STRIKE_WHAT])
{
	enum { ROOM_BEHIND = 256 };
	struct logline l;

	logline_init(&l, what, STRIKE_WHAT - ROOM_BEHIND);
	logline_untrusted(&l, method);
	logline_text(&l, SLICE(" "));
	logline_untrusted(&l, uri);
	what[l.n] = '\0';
	return l.n;
}

/* "GET /path of 10.0.0.7 ran 61.0 s (harakiri 60)" */
static void tell(const struct lane *lane, int64_t at_ms, int64_t ran_ms, char what[STRIKE_WHAT])
{
	const struct deadline *d = &lane->deadline;
	bool users = at_ms == d->user_ms;
	char limit[HARAKIRI_TEXT], client[64];
	size_t n = strike_tell(variable(lane, SLICE("REQUEST_METHOD")),
			       variable(lane, SLICE("REQUEST_URI")), what);

	uwsgi_escape(client, sizeof client, variable(lane, SLICE("REMOTE_ADDR")));
	snprintf(what + n, STRIKE_WHAT - n, "%s%s ran %.1f s (%s %s)", *client ? " of " : "",
		 client, (double)ran_ms / 1000, users ? "set_user_harakiri" : "harakiri",
		 harakiri_text(users ? d->user_for_ms : d->limit_for_ms, limit));
}

/* ---- the client ---- */

/* What its lane would say if the application had not begun to: by the state that the connection's
 * protocol is in. */
static struct exchange *refuse(struct striker *s, struct lane *lane, struct connection *c,
			       void *state)
{
	const struct protocol *protocol = c->listener->protocol;
	char date[UWSGI_DATE_SIZE];

	s->pool.limits = &lane->clients.limits;
	memcpy(state, c->protocol_state, protocol->state_size);
	struct exchange *x = exchange_take(&s->pool, protocol, state);
	if (!x)
		return NULL;
	uwsgi_http_date(clock_wall_us() / 1000000, date);
	x->rs.rules = &lane->rules;
	x->rs.date = (struct slice){ date, sizeof date - 1 };
	x->rs.close = x->rs.failed = true;
	uwsgi_request_var(&x->rq, SLICE("REQUEST_METHOD"), variable(lane, SLICE("REQUEST_METHOD")));
	response_refuse(&x->rs, 504, SLICE(""));
	sock_send(c->io.fd, &x->out);
	shutdown(c->io.fd, SHUT_WR);
	return x;
}

/* What the client has got in the end. */
enum got { GOT_REFUSAL, GOT_PART, GOT_ALL };

/* An answer that has begun breaks off at once.  A reset would throw away what has not arrived yet: then
 * it breaks off with the end of the worker. */
static enum got cut(const struct connection *c)
{
	const struct sockaddr nobody = { .sa_family = AF_UNSPEC };
	int fd = c->io.fd;

	if (c->x->rs.ended && c->x->out.pending == 0) {
		shutdown(fd, SHUT_WR);
		return GOT_ALL;
	}
	if (!connection_is_tcp(c)) {
		shutdown(fd, SHUT_RDWR);
	} else if (sock_queued(fd) == 0) {
		sock_reset(fd);
		(void)connect(fd, &nobody, sizeof nobody);
	}
	return GOT_PART;
}

/* As far as it was said. */
static struct response broken_off(const struct exchange *x)
{
	int64_t sent = x->out.sent - (int64_t)x->rs.head_size;

	return (struct response){ .rq = (struct request *)(uintptr_t)&x->rq,
				  .status = x->rs.status,
				  .head_size = x->rs.head_size,
				  .body = sent > 0 ? sent : 0,
				  .switches = 1,
				  .failed = true,
				  .broken = true };
}

/* ours: the answer that it got instead of the application's, or NULL. */
static void count(struct striker *s, struct lane *lane, enum got got, struct exchange *ours,
		  int64_t began_us)
{
	struct exchange *x = lane->running;

	/* Where it got another answer, the application may be saying the head of its own just now. */
	if (!ours) {
		const struct response part = broken_off(x);

		account_struck(&lane->account, x, got == GOT_ALL ? &x->rs : &part, began_us);
		return;
	}
	account_struck(&lane->account, x, &ours->rs, began_us);
	sendbuf_drop(&ours->out);
	exchange_return(&s->pool, ours);
}

/* ---- all of it ---- */

static void tell_master(const struct striker *s, const char *what)
{
	struct message m = { .kind = MESSAGE_STRUCK, .slot = s->slot };

	snprintf(m.text, sizeof m.text, "%.*s", (int)sizeof m.text - 1, what);
	channel_send(s->channel, &m, -1);
}

static size_t find_where(struct striker *s, const struct lane *lane)
{
	const struct app *app = s->setup->app;

	return app->where ? app->where(lane->app_state, s->stack, sizeof s->stack) : 0;
}

/* Logging comes last: it may have to wait for the reader of the log. */
void strike(struct striker *s, struct lane *lane, int64_t at_ms)
{
	static const char *const words[] = { [GOT_REFUSAL] = "its client gets 504",
					     [GOT_PART] = "its answer is cut off",
					     [GOT_ALL] = "its client has all of its answer" };
	int64_t ran_ms = clock_monotonic_ms() - atomic_load(&lane->score->began_ms);
	struct exchange *x = lane->running, *ours = NULL;
	char who[STRIKE_WHO], what[STRIKE_WHAT];
	_Alignas(16) char state[UWSGI_STATE_MAX];

	atomic_store(&lane->score->deadline_ms, 0);
	striker_name(s, lane, who);
	tell(lane, at_ms, ran_ms, what);
	if (!x->rs.head_sent)
		ours = refuse(s, lane, x->connection, state);
	enum got got = ours ? GOT_REFUSAL : cut(x->connection);
	/* Nobody turns their loop any more.  A request that is read and waits for its turn cannot move:
	 * it is lost with the worker. */
	migrate_all(&lane->clients);
	tell_master(s, what);
	size_t n = find_where(s, lane);
	count(s, lane, got, ours, clock_wall_us() - ran_ms * 1000);
	if (lane->harakiri->verbose)
		harakiri_log_kernel(who, s->setup->pid, lane->thread_id);
	deadline_done(&lane->deadline);
	uwsgi_log(UWSGI_WARNING, "%s: %s; %s%s%.*s", who, what, words[got],
		  n ? ", and it was here:\n" : "", (int)n, s->stack);
}
