/* SPDX-License-Identifier: MIT */
/* listener.c: opens, binds and closes listening sockets as the configuration says.  The master
 * calls it at start and on a reload; it accepts nothing. */
#include "wire/listener.h"

#include "base/hash.h"
#include "base/patience.h"
#include "settings/config.h"
#include "wire/socketoption.h"
#include "wire/socketpath.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int valid_shared(const char *text, struct error *e)
{
	struct address a;

	return address_parse(&a, text, e);
}

static int valid_mode(const char *text, struct error *e)
{
	struct socket_access access;

	return socketpath_parse_mode(text, &access, e);
}

static int valid_owner(const char *text, struct error *e)
{
	struct socket_access access;

	return socketpath_parse_owner(text, &access, e);
}

#define AT(member) offsetof(struct listener_settings, member)
static const struct option rows[] = {
	{ .name = "socket",
	  .letter = 's',
	  .type = OPT_LIST,
	  .listen = LISTEN_WORKERS,
	  .offset = AT(sockets),
	  .help = "listen on this address: host:port, :port, /path or @abstract; protocol says "
		  "what is spoken there, uwsgi packets by default",
	  .unit = "ADDRESS",
	  .example = "/run/app.sock" },
	{ .name = "listen",
	  .letter = 'l',
	  .type = OPT_INT,
	  .offset = AT(backlog),
	  .initial = "0",
	  .min = 0,
	  .max = 1 << 20,
	  .help = "connections that may wait to be accepted, for each socket; 0: as many as the "
		  "kernel allows",
	  .example = "1024",
	  .differs = "100 by default, and no start with more than somaxconn" },
	{ .name = "chmod-socket",
	  .letter = 'C',
	  .type = OPT_STRING,
	  .offset = AT(mode),
	  .valid = valid_mode,
	  .bare = "666",
	  .help = "access mode of UNIX sockets, octal",
	  .unit = "MODE",
	  .example = "660" },
	{ .name = "chmod", .same_as = "chmod-socket" },
	{ .name = "chown-socket",
	  .type = OPT_STRING,
	  .offset = AT(owner),
	  .valid = valid_owner,
	  .help = "owner of UNIX sockets: user, user:group or :group",
	  .unit = "OWNER",
	  .example = "www-data:www-data" },
	{ .name = "abstract-socket",
	  .letter = 'a',
	  .type = OPT_FLAG,
	  .offset = AT(abstract),
	  .initial = "false",
	  .help = "take the paths of UNIX sockets as abstract names, without a file" },
	{ .name = "shared-socket",
	  .type = OPT_LIST,
	  .offset = AT(shared),
	  .unit = "ADDRESS",
	  .valid = valid_shared,
	  .help = "an address that others name as =0, =1 …, in the order of these",
	  .example = "0.0.0.0:80" },
	{ .name = "undeferred-shared-socket", .same_as = "shared-socket" },
	{ .name = "reuse-port",
	  .type = OPT_FLAG,
	  .offset = AT(reuse_port),
	  .initial = "false",
	  .help = "let other servers of this user listen on the same TCP port" },
	{ .name = "freebind",
	  .type = OPT_FLAG,
	  .offset = AT(free_bind),
	  .initial = "false",
	  .help = "listen on addresses that the machine does not have yet" },
	{ .name = "so-keepalive",
	  .type = OPT_FLAG,
	  .offset = AT(keepalive),
	  .initial = "false",
	  .help = "let the kernel find out that a TCP peer is gone" },
	{ .name = "tcp-fast-open",
	  .type = OPT_INT,
	  .offset = AT(fast_open),
	  .initial = "0",
	  .max = 65535,
	  .help = "so many clients may send data with their first packet; 0: none" },
	{ .name = "tcp-fastopen", .same_as = "tcp-fast-open" },
	{ .name = "no-defer-accept",
	  .type = OPT_FLAG,
	  .offset = AT(no_defer),
	  .initial = "false",
	  .help = "accept TCP connections before their first request is there" },
	{ .name = "socket-sndbuf",
	  .type = OPT_SIZE,
	  .offset = AT(send_buffer),
	  .initial = "0",
	  .max = 1 << 30,
	  .help = "the kernel's buffer for what is sent; 0: as the kernel has it" },
	{ .name = "socket-rcvbuf",
	  .type = OPT_SIZE,
	  .offset = AT(receive_buffer),
	  .initial = "0",
	  .max = 1 << 30,
	  .help = "the kernel's buffer for what comes; 0: as the kernel has it" },
	{ .name = "so-send-timeout",
	  .type = OPT_SECONDS,
	  .offset = AT(write_timeout_s),
	  .initial = "60",
	  .bare = "0",
	  .max = 86400,
	  .help = "how long a peer may take nothing of a response, or less than 1 KiB a second over "
		  "TCP; 0: as long as socket-timeout",
	  .differs = "as long as socket-timeout by default, which cuts off slow downloads" },
	{ .name = "so-write-timeout", .same_as = "so-send-timeout" },
	{ .name = "socket-send-timeout", .same_as = "so-send-timeout" },
	{ .name = "socket-write-timeout", .same_as = "so-send-timeout" },
	{ .name = "socket-timeout",
	  .letter = 'z',
	  .type = OPT_SECONDS,
	  .offset = AT(timeout_s),
	  .initial = "4",
	  .min = 1,
	  .max = 86400,
	  .help = "how long a peer may stay silent inside a request" },
};
#undef AT

static void check(const struct config *cfg, struct report *report)
{
	const struct listener_settings *s = uwsgi_options(cfg, &listener_options);

	if (uwsgi_config_thorough(report) && s->backlog > socketoption_most_waiting())
		uwsgi_config_doubt(cfg, report, UWSGI_WARNING, "listen", SOCKETOPTION_LESS,
				   socketoption_most_waiting());
}

const struct option_table listener_options = {
	.module = "sockets",
	.size = sizeof(struct listener_settings),
	.rows = rows,
	.count = sizeof rows / sizeof *rows,
	.check = check,
};

/* chmod-socket and chown-socket. */
static int find_access(const struct listener_settings *s, struct socket_access *access,
		       struct error *e)
{
	*access = (struct socket_access){ 0 };
	return (s->mode && socketpath_parse_mode(s->mode, access, e)) ||
			       (s->owner && socketpath_parse_owner(s->owner, access, e))
		       ? -1
		       : 0;
}

/* Nobody can connect before listen(). */
static int bind_to_path(struct listener *l, const char *text, const char *path, bool *taken,
			struct error *e)
{
	struct socket_access access;
	struct error why;

	if (socketpath_clear(path, taken, &why))
		return uwsgi_error_set(e, "%s = %s: %s", l->option, text, why.text);
	if (find_access(l->settings, &access, e))
		return -1;
	if (socketpath_bind(l->fd, (const struct sockaddr *)&l->address.sa, l->address.length,
			    &access))
		return uwsgi_error_set(e, "cannot bind %s = %s: %s", l->option, text,
				       strerror(errno));
	l->inode = socketpath_inode(l->fd, path);
	return socketpath_set_access(l->fd, path, l->inode, &access, e);
}

/* On failure the caller closes the descriptor.  *taken: somebody else listens. */
static int bind_and_listen(struct listener *l, const char *text, bool *taken, struct error *e)
{
	const struct listener_settings *s = l->settings;
	const char *path = address_path(&l->address);
	socklen_t length = sizeof l->address.sa;
	struct sockaddr_storage bound;

	socketoption_set(l->fd, listener_is_tcp(l), !l->service, s);
	if (path) {
		if (bind_to_path(l, text, path, taken, e))
			return -1;
	} else if (bind(l->fd, (const struct sockaddr *)&l->address.sa, l->address.length)) {
		*taken = errno == EADDRINUSE;
		return uwsgi_error_set(e, "cannot bind %s = %s: %s", l->option, text,
				       strerror(errno));
	}
	if (listen(l->fd, socketoption_backlog(s))) {
		*taken = errno == EADDRINUSE;
		return uwsgi_error_set(e, "cannot listen on %s = %s: %s", l->option, text,
				       strerror(errno));
	}
	if (getsockname(l->fd, (struct sockaddr *)&bound, &length) == 0)
		address_to_text((struct sockaddr *)&bound, length, &l->text);
	return 0;
}

static int try_to_open(struct listener *l, const char *text, bool *taken, struct error *e)
{
	l->fd = socket(l->address.sa.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (l->fd < 0)
		return uwsgi_error_set(e, "%s = %s: %s", l->option, text, strerror(errno));
	if (bind_and_listen(l, text, taken, e) == 0)
		return 0;
	if (l->inode)
		socketpath_remove(address_path(&l->address), l->inode);
	close(l->fd);
	l->inode = 0;
	return -1;
}

/* What the listeners that are opened together have in common. */
struct opening {
	const struct config *config;
	const struct listener_settings *settings;
	const struct plugins *plugins;
	const struct listeners *before;
	bool is_start;
	struct patience patience;
};

static int open_listener(struct listener *l, const char *text, struct opening *o, struct error *e)
{
	bool taken = false;

	while (try_to_open(l, text, &taken, e)) {
		/* A reload is the master's, which waits for nobody. */
		if (!taken || !o->is_start || !patience_wait(&o->patience, e))
			return -1;
		taken = false;
	}
	return 0;
}

/* In this list, or one behind it. */
static const struct listener *find(const struct listeners *set, const struct address *a)
{
	for (; set; set = set->older)
		for (size_t i = 0; i < set->count; i++)
			if (address_equal(&set->items[i].address, a))
				return &set->items[i];
	return NULL;
}

/* What a service manager opens for a port alone: IPv6 ::, of which the kernel accepts IPv4, too. */
static bool is_any_port(const struct address *passed, const struct address *wanted)
{
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)&passed->sa;
	const struct sockaddr_in *in = (const struct sockaddr_in *)&wanted->sa;

	return in6->sin6_family == AF_INET6 && in->sin_family == AF_INET &&
	       in->sin_addr.s_addr == htonl(INADDR_ANY) && in->sin_port == in6->sin6_port &&
	       IN6_IS_ADDR_UNSPECIFIED(&in6->sin6_addr);
}

static const struct listener *find_open(const struct listeners *before, const struct address *a)
{
	const struct listener *l = find(before, a);

	for (size_t i = 0; !l && before && i < before->count; i++)
		if (before->items[i].passed && is_any_port(&before->items[i].address, a))
			l = &before->items[i];
	return l;
}

/* A name that the kernel chooses when it is bound. */
static void set_nameless(struct address *a)
{
	*a = (struct address){ .sa.ss_family = AF_UNIX, .length = sizeof(sa_family_t) };
}

static bool answers_to(const struct protocol *p, const char *name)
{
	for (size_t i = 0; p->aliases && p->aliases[i]; i++)
		if (!strcmp(p->aliases[i], name))
			return true;
	return !strcmp(p->name, name);
}

static const struct protocol *find_protocol(const struct plugins *plugins, const char *name)
{
	for (size_t i = 0; i < plugins->count; i++) {
		const struct protocol *p = plugins->items[i]->protocol;

		if (p && answers_to(p, name))
			return p;
	}
	return NULL;
}

/* The addresses of one option. */
struct plan {
	const char *option;
	const struct protocol *protocol; /* NULL: no loaded plugin speaks it */
	const char *protocol_name;
	const struct option_list *list;
	const struct gateway *gateway;
	const struct service *service;
	bool internal;
};

/* What `socket` speaks, and what the service manager passes on without another word. */
static const char *default_protocol(const struct config *cfg)
{
	const char *name = config_choice(cfg, "protocol");

	return name ? name : "uwsgi";
}

/* The address behind "=0" and of a path that is to be abstract. */
static int find_address(const struct listener_settings *s, const char *text, struct address *a,
			struct error *e)
{
	char name[sizeof a->sa];
	size_t n = address_is_shared(text) ? strtoul(text + 1, NULL, 10) : 0;

	if (address_is_shared(text) && n >= s->shared.count)
		return uwsgi_error_set(e, "there is no shared-socket %zu; they are counted from 0",
				       n);
	if (address_parse(a, address_is_shared(text) ? s->shared.items[n] : text, e))
		return -1;
	if (!s->abstract || !a->has_path)
		return 0;
	snprintf(name, sizeof name, "@%s", address_path(a));
	return address_parse(a, name, e);
}

static void set_timeouts(struct listener *l, const struct config *cfg)
{
	const struct listener_settings *s = l->settings;
	struct protocol_timeouts t = { s->timeout_s, s->timeout_s, s->timeout_s };

	if (l->protocol && l->protocol->timeouts)
		l->protocol->timeouts(cfg, &t);
	l->head_timeout_s = (double)t.head;
	l->body_timeout_s = (double)t.body;
	l->idle_timeout_s = (double)t.idle;
	l->write_timeout_s = (double)(s->write_timeout_s ? s->write_timeout_s : s->timeout_s);
}

static void take_over(struct listener *l, const struct listener *open)
{
	l->fd = open->fd;
	l->inode = open->inode;
	l->text = open->text;
	l->passed = open->passed;
	if (l->passed && listener_is_tcp(l))
		socketoption_set(l->fd, true, !l->service, l->settings);
}

/* For so many more. */
static bool make_room(struct listeners *set, size_t more, struct error *e)
{
	struct listener *items = realloc(set->items, (set->count + more + 1) * sizeof *items);

	if (items)
		set->items = items;
	else
		uwsgi_error_set(e, "out of memory");
	return items != NULL;
}

static int add_listener(struct listeners *set, struct opening *o, const struct plan *plan,
			const char *text, struct error *e)
{
	struct listener l = { .option = plan->option,
			      .fd = -1,
			      .protocol = plan->protocol,
			      .settings = o->settings,
			      .gateway = plan->gateway,
			      .service = plan->service,
			      .internal = plan->internal };

	if (!l.protocol && !l.service)
		return uwsgi_error_set(e, "%s = %s: no plugin for the protocol \"%s\" is loaded",
				       plan->option, text, plan->protocol_name);
	set_timeouts(&l, o->config);
	if (l.internal) {
		set_nameless(&l.address);
	} else if (find_address(o->settings, text, &l.address, e)) {
		struct error why = *e;

		return uwsgi_error_set(e, "%s = %s: %s", plan->option, text, why.text);
	}
	const struct listener *open = find_open(o->before, &l.address);

	if (open)
		l.address = open->address;
	if (find(set, &l.address))
		return uwsgi_error_set(e, "%s = %s: this address is already used by %s",
				       plan->option, text, find(set, &l.address)->option);
	if (open) {
		take_over(&l, open);
	} else if (open_listener(&l, text, o, e)) {
		return -1;
	}
	set->items[set->count++] = l;
	return 0;
}

/* What was passed on and no option names: uwsgi packets, or what protocol= says. */
static int add_passed(struct listeners *set, const struct opening *o, struct error *e)
{
	if (!make_room(set, o->before ? o->before->count : 0, e))
		return -1;
	const char *name = default_protocol(o->config);
	const struct protocol *protocol = find_protocol(o->plugins, name);

	for (size_t i = 0; o->before && i < o->before->count; i++) {
		const struct listener *open = &o->before->items[i];
		struct listener l = { .option = "socket",
				      .address = open->address,
				      .settings = o->settings,
				      .protocol = protocol };

		if (!open->passed || find(set, &l.address))
			continue;
		if (!protocol)
			return uwsgi_error_set(e,
					       "no plugin for the protocol \"%s\" is loaded, "
					       "which %s is to speak",
					       name, open->text.address);
		set_timeouts(&l, o->config);
		take_over(&l, open);
		set->items[set->count++] = l;
	}
	return 0;
}

void listener_begin(const struct listener *l, const struct config *cfg, void *protocol_state)
{
	const struct peer who = { .own = l->internal, .tcp = listener_is_tcp(l) };

	if (l->protocol->begin)
		l->protocol->begin(protocol_state, cfg, &who);
}

/* What a configuration says of new connections shows in the state that they begin with. */
static uint64_t identify(const struct listener *l, const struct config *cfg)
{
	_Alignas(16) char state[UWSGI_STATE_MAX] = { 0 };
	const struct protocol *p = l->protocol;
	uint64_t hash = hash_bytes(HASH_NOTHING, &l->address.sa, l->address.length);

	if (!p)
		return hash;
	listener_begin(l, cfg, state);
	return hash_bytes(hash_text(hash, p->name), state, p->state_size);
}

/* The texts' slices point into themselves: set anew where the list came to rest. */
static void settle(struct listeners *set, const struct config *cfg)
{
	for (size_t i = 0; i < set->count; i++) {
		struct address_text *t = &set->items[i].text;

		set->items[i].identity = identify(&set->items[i], cfg);
		t->endpoint.address.p = t->address;
		t->endpoint.port.p = t->port;
	}
}

/* Nothing is open yet, or only what was passed on, of which nobody has said what it speaks. */
static bool is_start(const struct listeners *before)
{
	return !before || before->count == 0 ||
	       (!before->items[0].protocol && !before->items[0].service);
}

/* ---- what the options say, those of the core and of each plugin ---- */

static int open_plan(struct listeners *set, struct opening *o, const struct plan *plan,
		     struct error *e)
{
	if (!make_room(set, plan->list->count, e))
		return -1;
	for (size_t i = 0; i < plan->list->count; i++)
		if (add_listener(set, o, plan, plan->list->items[i], e))
			return -1;
	return 0;
}

static int open_rows(struct listeners *set, struct opening *o, const struct plugin *p,
		     struct error *e)
{
	const struct option_table *table = p->options;
	const char *settings = table ? uwsgi_options(o->config, table) : NULL;

	for (size_t i = 0; settings && i < table->count; i++) {
		const struct option *row = &table->rows[i];
		struct plan plan = { .option = row->name,
				     .protocol = p->protocol,
				     .list = (const void *)(settings + row->offset) };

		if (row->listen == LISTEN_NOT)
			continue;
		if (row->listen == LISTEN_GATEWAY)
			plan.gateway = p->gateway;
		if (row->listen == LISTEN_SERVICE)
			plan.service = p->service;
		if (plan.gateway && plan.list->count && listeners_gateway(set) &&
		    listeners_gateway(set) != plan.gateway)
			return uwsgi_error_set(e,
					       "%s: the gateway %s is there already, and a "
					       "server can have one",
					       row->name, listeners_gateway(set)->name);
		if (open_plan(set, o, &plan, e))
			return -1;
	}
	return 0;
}

/* Where a gateway reaches the workers: one address that nobody writes. */
static int open_internal(struct listeners *set, struct opening *o, struct error *e)
{
	static const char *const unnamed[] = { "" };
	const struct option_list one = { unnamed, 1 };
	const struct gateway *gateway = listeners_gateway(set);
	struct gateway_needs needs = { 0 };

	if (gateway)
		gateway->needs(o->config, &needs);
	if (!needs.workers)
		return 0;
	const struct plan plan = { .option = gateway->name,
				   .protocol = find_protocol(o->plugins, "uwsgi"),
				   .protocol_name = "uwsgi",
				   .list = &one,
				   .internal = true };

	return open_plan(set, o, &plan, e);
}

static int open_all(struct listeners *set, struct opening *o, struct error *e)
{
	const char *protocol = default_protocol(o->config);
	const struct plan plan = { .option = "socket",
				   .protocol = find_protocol(o->plugins, protocol),
				   .protocol_name = protocol,
				   .list = &o->settings->sockets };

	if (open_plan(set, o, &plan, e))
		return -1;
	for (size_t i = 0; i < o->plugins->count; i++)
		if (open_rows(set, o, o->plugins->items[i], e))
			return -1;
	return open_internal(set, o, e) || add_passed(set, o, e) ? -1 : 0;
}

int listeners_open(struct listeners *set, const struct config *cfg, const struct plugins *plugins,
		   const struct listeners *before, struct error *e)
{
	const struct listener_settings *s = uwsgi_options(cfg, &listener_options);
	struct opening opening = { cfg, s, plugins, before, is_start(before), { 0 } };

	*set = (struct listeners){ 0 };
	if (open_all(set, &opening, e)) {
		listeners_close(set, before, true);
		return -1;
	}
	settle(set, cfg);
	return 0;
}

/* ---- a reload's changes to sockets that stay ---- */

static bool is_same(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

/* What was changed by hand meanwhile stays as long as the configuration says the same. */
static int change_access(const struct listener *l, const struct listener_settings *before,
			 struct error *e)
{
	const struct listener_settings *now = l->settings;
	struct socket_access access;

	if (find_access(now, &access, e))
		return -1;
	if (is_same(now->mode, before->mode)) {
		access.has_mode = false;
	} else if (!now->mode) {
		access.has_mode = true;
		access.mode = 0777 & ~socketpath_umask();
	}
	if (is_same(now->owner, before->owner))
		access.has_owner = false;
	else if (!now->owner)
		return uwsgi_error_set(e, "chown-socket: it was taken away");
	return socketpath_set_access(l->fd, address_path(&l->address), l->inode, &access, e);
}

void listeners_apply(const struct listeners *set, const struct listeners *before)
{
	struct error e;

	for (size_t i = 0; i < set->count; i++) {
		const struct listener *l = &set->items[i], *old = find(before, &l->address);

		if (!old || l->passed || l->internal)
			continue;
		socketoption_change(l->fd, listener_is_tcp(l), !l->service, l->settings,
				    old->settings, &l->text);
		if (l->inode && change_access(l, old->settings, &e))
			uwsgi_log(UWSGI_WARNING, "%s; the socket %s stays as it is", e.text,
				  l->text.address);
	}
}

int listener_accept(const struct listener *l, struct sockaddr_storage *peer, socklen_t *length)
{
	bool named = listener_is_tcp(l);

	*length = named ? sizeof *peer : 0;
	peer->ss_family = AF_UNIX;
	return accept4(l->fd, named ? (struct sockaddr *)peer : NULL, named ? length : NULL,
		       SOCK_NONBLOCK | SOCK_CLOEXEC);
}

bool listener_is_out_of_resources(int why)
{
	return why == EMFILE || why == ENFILE || why == ENOBUFS || why == ENOMEM;
}

const struct listener *listeners_find(const struct listeners *set, uint64_t identity)
{
	for (size_t i = 0; i < set->count; i++)
		if (set->items[i].identity == identity)
			return &set->items[i];
	return NULL;
}

const struct gateway *listeners_gateway(const struct listeners *set)
{
	for (size_t i = 0; i < set->count; i++)
		if (set->items[i].gateway)
			return set->items[i].gateway;
	return NULL;
}

bool listeners_take_nothing(const struct listeners *set)
{
	size_t i = 0;

	while (i < set->count && set->items[i].service)
		i++;
	return i == set->count;
}

void listeners_close(struct listeners *set, const struct listeners *kept, bool unlink_paths)
{
	for (size_t i = 0; i < set->count; i++) {
		if (find(kept, &set->items[i].address))
			continue;
		if (unlink_paths && address_path(&set->items[i].address))
			socketpath_remove(address_path(&set->items[i].address),
					  set->items[i].inode);
		close(set->items[i].fd);
	}
	free(set->items);
	*set = (struct listeners){ 0 };
}
