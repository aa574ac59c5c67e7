/* SPDX-License-Identifier: MIT */
/* doorman.c: a handler outside the tree that takes its time: a thread of its own looks at who comes,
 * as one would that compares passwords, and meanwhile the lane goes on with others. */
#include <uwsgi/plugin.h>

#include <ev.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct option row = { .name = "doorman-ms",
				   .type = OPT_INT,
				   .max = 10000,
				   .help = "how long each request is looked at",
				   .example = "100" };
static const struct option_table options = { "doorman", sizeof(long long), &row, 1, .check = NULL };

struct visit {
	struct door *door;
	struct visit *next; /* in door->seen */
	struct request *rq; /* NULL: it is over */
};

/* One lane's. */
struct door {
	long long look_ms;
	struct ev_loop *loop;
	ev_async opened;
	pthread_mutex_t lock;
	struct visit *seen; /* by their threads, not by the lane yet */
};

static bool wants(const struct config *cfg)
{
	return *(const long long *)uwsgi_options(cfg, &options) > 0;
}

static void on_opened(struct ev_loop *loop, ev_async *w, int events)
{
	struct door *door = w->data;
	struct visit *v, *next;

	(void)loop;
	(void)events;
	pthread_mutex_lock(&door->lock);
	next = door->seen;
	door->seen = NULL;
	pthread_mutex_unlock(&door->lock);
	while ((v = next)) {
		next = v->next;
		if (v->rq)
			uwsgi_request_go_on(v->rq);
		else
			free(v);
	}
}

static int lane_start(const struct handler_lane *lane, void **state, struct error *e)
{
	struct door *door = *state = calloc(1, sizeof *door);

	if (!door)
		return uwsgi_error_set(e, "out of memory");
	door->look_ms = *(const long long *)uwsgi_options(lane->config, &options);
	door->loop = lane->loop;
	pthread_mutex_init(&door->lock, NULL);
	ev_async_init(&door->opened, on_opened);
	door->opened.data = door;
	ev_async_start(lane->loop, &door->opened);
	return 0;
}

static void *look(void *visit)
{
	struct visit *v = visit;
	struct door *door = v->door;

	usleep((useconds_t)door->look_ms * 1000);
	pthread_mutex_lock(&door->lock);
	v->next = door->seen;
	door->seen = v;
	ev_async_send(door->loop, &door->opened);
	pthread_mutex_unlock(&door->lock);
	return NULL;
}

static enum handled before(void *state, struct request *rq, struct response *rs, void **mine)
{
	struct slice path = uwsgi_request_find(rq, SLICE("PATH_INFO"));
	struct visit *v = *mine ? *mine : calloc(1, sizeof *v);
	pthread_t thread;

	if (!*mine && v) {
		*v = (struct visit){ .door = state, .rq = rq };
		if (pthread_create(&thread, NULL, look, v) == 0) {
			pthread_detach(thread);
			*mine = v;
			return HANDLED_LATER;
		}
	}
	free(v);
	*mine = NULL;
	if (path.n != 7 || memcmp(path.p, "/closed", 7))
		return HANDLED_NOT;
	uwsgi_response_refuse(rs, 403, SLICE("not today"));
	return HANDLED_DONE;
}

static void gone(void *state, void *mine)
{
	(void)state;
	((struct visit *)mine)->rq = NULL;
}

static const struct handler handler = { .name = "doorman",
					.order = 10,
					.wants = wants,
					.lane_start = lane_start,
					.before = before,
					.gone = gone };

UWSGI_API const struct plugin uwsgi_plugin = {
	.abi = UWSGI_ABI, .name = "doorman", .options = &options, .handler = &handler
};
