/* SPDX-License-Identifier: MIT */
/* state.c: in which state the server is, by the generations that it has, and what states are called. */
#include "inspect.h"

static enum state look(const struct status *status)
{
	struct generation_status g;
	bool any = false, serves = false, starts = false;

	for (size_t i = 0; uwsgi_status_next_generation(status, &i, &g);) {
		any = true;
		serves = serves || g.stage == STAGE_SERVING;
		starts = starts || g.stage == STAGE_STARTING;
	}
	if (serves)
		return starts ? STATE_RELOADING : STATE_SERVING;
	return starts || !any ? STATE_STARTING : STATE_STOPPING;
}

/* A generation serves before the one that it follows leaves; a reload that ends between looking at the
 * new one and at the old one is not seen at first, so there is a second look. */
enum state state_of(const struct status *status)
{
	enum state state = look(status);

	return state == STATE_SERVING || state == STATE_RELOADING ? state : look(status);
}

const char *state_name(enum state state)
{
	static const char *const names[] = { [STATE_STARTING] = "starting",
					     [STATE_SERVING] = "serving",
					     [STATE_RELOADING] = "reloading",
					     [STATE_STOPPING] = "stopping" };

	return names[state];
}

const char *stage_name(enum stage stage)
{
	static const char *const names[] = { [STAGE_GONE] = "gone",
					     [STAGE_STARTING] = "starting",
					     [STAGE_SERVING] = "serving",
					     [STAGE_LEAVING] = "leaving" };

	return names[stage];
}

/* Not by what next_process() knows, which asks /proc for each. */
bool state_is_ready(const struct status *status)
{
	struct server_status server;
	struct generation_status g;
	struct lane_status l;
	enum state state = state_of(status);

	uwsgi_status_server(status, &server);
	/* Workers that sleep are woken by whoever connects. */
	for (size_t i = 0; uwsgi_status_next_generation(status, &i, &g);)
		if (g.number == server.generation && g.wanted == 0)
			return !g.paused && (state == STATE_SERVING || state == STATE_RELOADING);
	for (size_t i = 0; uwsgi_status_next(status, &i, &l);)
		if (l.generation == server.generation)
			return state == STATE_SERVING || state == STATE_RELOADING;
	return false;
}
