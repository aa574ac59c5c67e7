/* SPDX-License-Identifier: MIT */
/* contract.c: what plugin.h demands of a plugin, as tables of the members that it must have.  The
 * loader asks before it takes one in, so that a member that was forgotten is a sentence and not a
 * crash at the first request. */
#include "work/contract.h"

#include <string.h>

/* A member that must not be NULL: a pointer, to a function or a text. */
struct member {
	const char *name;
	size_t offset;
};

#define MEMBER(type, m)                                                                            \
	{                                                                                          \
#type "." #m, offsetof(struct type, m)                                             \
	}
static const struct member protocol_members[] = {
	MEMBER(protocol, name), MEMBER(protocol, parse), MEMBER(protocol, head),
	MEMBER(protocol, body), MEMBER(protocol, end),
};
static const struct member app_members[] = {
	MEMBER(app, name),
	MEMBER(app, handle),
};
static const struct member handler_members[] = {
	MEMBER(handler, name),
};
static const struct member gateway_members[] = {
	MEMBER(gateway, name),   MEMBER(gateway, needs), MEMBER(gateway, start),
	MEMBER(gateway, handle), MEMBER(gateway, gone),  MEMBER(gateway, release),
};
static const struct member service_members[] = {
	MEMBER(service, name),
	MEMBER(service, wants),
	MEMBER(service, start),
	MEMBER(service, stop),
};
#undef MEMBER

/* part NULL: the plugin has none, which is well. */
static int check_members(const struct plugin *p, const void *part, const struct member *members,
			 size_t count, struct error *e)
{
	static const char null[sizeof(void (*)(void))];

	for (size_t i = 0; part && i < count; i++)
		if (!memcmp((const char *)part + members[i].offset, null, sizeof null))
			return uwsgi_error_set(e, "plugin %s: %s is missing", p->name,
					       members[i].name);
	return 0;
}
#define CHECK_MEMBERS(p, part, e)                                                                  \
	check_members(p, (p)->part, part##_members,                                                \
		      sizeof part##_members / sizeof *part##_members, e)

static int check_row(const struct plugin *p, const struct option *row, struct error *e)
{
	if (!row->name)
		return uwsgi_error_set(e, "plugin %s: an option has no name", p->name);
	if (row->same_as)
		return 0;
	if (row->type > OPT_SPAN)
		return uwsgi_error_set(e, "plugin %s: option %s: its type is unknown", p->name,
				       row->name);
	if (row->type == OPT_CHOICE && !row->choices)
		return uwsgi_error_set(e, "plugin %s: option %s: choices are missing", p->name,
				       row->name);
	if (row->listen == LISTEN_NOT)
		return 0;
	if (row->type != OPT_LIST)
		return uwsgi_error_set(e, "plugin %s: option %s: listen is for OPT_LIST only",
				       p->name, row->name);
	if (row->listen == LISTEN_SERVICE && !p->service)
		return uwsgi_error_set(
			e, "plugin %s: option %s listens, and the plugin has no service", p->name,
			row->name);
	if (row->listen == LISTEN_SERVICE)
		return 0;
	if (!p->protocol || (row->listen == LISTEN_GATEWAY && !p->gateway))
		return uwsgi_error_set(e, "plugin %s: option %s listens, and the plugin has no %s",
				       p->name, row->name, p->protocol ? "gateway" : "protocol");
	return 0;
}

static int check_options(const struct plugin *p, struct error *e)
{
	const struct option_table *t = p->options;

	if (t && (!t->module || !t->size))
		return uwsgi_error_set(e, "plugin %s: options.%s is missing", p->name,
				       t->module ? "size" : "module");
	for (size_t i = 0; t && i < t->count; i++)
		if (check_row(p, &t->rows[i], e))
			return -1;
	return 0;
}

static int check_driver(const struct plugin *p, struct error *e)
{
	const struct app *a = p->app;

	if (a->drive && a->body && a->drained && a->gone)
		return 0;
	return uwsgi_error_set(e, "plugin %s: app.%s is missing, which app.drives needs", p->name,
			       !a->drive     ? "drive"
			       : !a->body    ? "body"
			       : !a->drained ? "drained"
					     : "gone");
}

int contract_check(const struct plugin *p, struct error *e)
{
	if (!p->name || !*p->name)
		return uwsgi_error_set(e, "the plugin has no name");
	if (check_options(p, e) || CHECK_MEMBERS(p, protocol, e) || CHECK_MEMBERS(p, app, e) ||
	    CHECK_MEMBERS(p, handler, e) || CHECK_MEMBERS(p, gateway, e) ||
	    CHECK_MEMBERS(p, service, e))
		return -1;
	if (p->protocol && p->protocol->state_size > UWSGI_STATE_MAX)
		return uwsgi_error_set(
			e,
			"plugin %s: protocol.state_size is %zu, and at most %d bytes "
			"of a connection can be kept",
			p->name, p->protocol->state_size, UWSGI_STATE_MAX);
	if (p->app && !p->app->changed != !p->app->interval_s)
		return uwsgi_error_set(e,
				       "plugin %s: of app.changed and app.interval_s one is "
				       "missing",
				       p->name);
	return p->app && p->app->drives ? check_driver(p, e) : 0;
}

/* ---- what stands in for members that an application runner leaves out ---- */

static int init_nothing(const struct config *cfg, const struct worker_info *info, struct error *e)
{
	(void)cfg, (void)info, (void)e;
	return 0;
}

static int load_nothing(const struct config *cfg, struct error *e)
{
	(void)cfg, (void)e;
	return 0;
}

static void fork_nothing(void)
{
}

static void fork_child_nothing(const struct worker_info *info)
{
	(void)info;
}

static int start_nothing(struct error *e)
{
	(void)e;
	return 0;
}

static int start_no_lane(int lane, void **state, struct error *e)
{
	(void)lane, (void)state, (void)e;
	return 0;
}

static void do_nothing(void *state)
{
	(void)state;
}

static void release_nothing(void *state, void *const *owners, size_t count)
{
	(void)state, (void)owners, (void)count;
}

static void stop_nothing(long long mercy_ms)
{
	(void)mercy_ms;
}

struct app contract_complete(const struct app *app)
{
	struct app a = *app;

	a.init = a.init ? a.init : init_nothing;
	a.load = a.load ? a.load : load_nothing;
	a.fork_before = a.fork_before ? a.fork_before : fork_nothing;
	a.fork_parent = a.fork_parent ? a.fork_parent : fork_nothing;
	a.fork_child = a.fork_child ? a.fork_child : fork_child_nothing;
	a.worker_start = a.worker_start ? a.worker_start : start_nothing;
	a.lane_start = a.lane_start ? a.lane_start : start_no_lane;
	a.pause = a.pause ? a.pause : do_nothing;
	a.resume = a.resume ? a.resume : do_nothing;
	a.release = a.release ? a.release : release_nothing;
	a.lane_stop = a.lane_stop ? a.lane_stop : do_nothing;
	a.worker_stop = a.worker_stop ? a.worker_stop : stop_nothing;
	return a;
}
