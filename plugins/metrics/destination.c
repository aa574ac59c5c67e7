/* SPDX-License-Identifier: MIT */
/* destination.c: addresses to send to.  Whoever looks up a name waits for servers that may not answer,
 * which the loop must not: so a thread does it, and its answer is found at a later turn. */
#include "destination.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

enum { AGAIN_S = 60, AFTER_FAILURE_S = 10 };

struct lookup {
	char text[256];
	struct sockaddr_storage address;
	size_t length;
	struct error error;
	int failed;
	atomic_bool done;
	atomic_int users; /* the thread and who has started it: the last one frees it */
};

static void let_go(struct lookup *l)
{
	if (atomic_fetch_sub(&l->users, 1) == 1)
		free(l);
}

static void *look(void *data)
{
	struct lookup *l = data;

	l->failed = uwsgi_address(l->text, (struct sockaddr *)&l->address, &l->length, &l->error);
	atomic_store(&l->done, true);
	let_go(l);
	return NULL;
}

static void begin(struct destination *d)
{
	struct lookup *l = calloc(1, sizeof *l);

	if (!l)
		return;
	snprintf(l->text, sizeof l->text, "%s", d->text);
	atomic_init(&l->users, 2);
	if (uwsgi_thread_start(NULL, look, l))
		free(l);
	else
		d->lookup = l;
}

static void take(struct destination *d, long long now_s)
{
	struct lookup *l = d->lookup;

	d->lookup = NULL;
	d->again_s = now_s + (l->failed ? AFTER_FAILURE_S : AGAIN_S);
	if (!l->failed) {
		d->address = l->address;
		d->length = l->length;
	} else if (!d->unknown && !d->length) {
		uwsgi_log(UWSGI_WARNING, "%s %s: %s; looking it up again and again", d->option,
			  d->text, l->error.text);
	}
	d->unknown = l->failed;
	let_go(l);
}

/* Whether what is no path has another host than digits. */
static bool has_name(const char *text)
{
	const char *colon = strrchr(text, ':');
	size_t n = colon ? (size_t)(colon - text) : 0;

	return text[0] != '/' && text[0] != '@' && text[0] != '[' && n > 0 &&
	       strspn(text, "0123456789.") < n;
}

void destination_init(struct destination *d, const char *option, const char *text, size_t n)
{
	struct error e;

	*d = (struct destination){ .option = option };
	snprintf(d->text, sizeof d->text, "%.*s", (int)n, text);
	if (has_name(d->text))
		d->again_s = 1;
	else
		uwsgi_address(d->text, (struct sockaddr *)&d->address, &d->length, &e);
}

void destination_fini(struct destination *d)
{
	if (d->lookup)
		let_go(d->lookup);
	d->lookup = NULL;
}

bool destination_find(struct destination *d)
{
	long long now_s = uwsgi_now_ms() / 1000;

	if (d->lookup && atomic_load(&d->lookup->done))
		take(d, now_s);
	if (!d->lookup && d->again_s && now_s >= d->again_s)
		begin(d);
	return d->length > 0;
}

int destination_valid(const char *text, size_t n, struct error *e)
{
	char copy[256];
	const char *colon;

	if (n == 0 || n >= sizeof copy)
		return uwsgi_error_set(e, "expected an address, host:port");
	snprintf(copy, sizeof copy, "%.*s", (int)n, text);
	colon = strrchr(copy, ':');
	if (!has_name(copy) && !colon && copy[0] != '/' && copy[0] != '@')
		return uwsgi_error_set(e, "%s: expected host:port, /path or @abstract", copy);
	if (!has_name(copy))
		return uwsgi_address(copy, NULL, NULL, e);
	if (atoi(colon + 1) < 1 || atoi(colon + 1) > 65535 ||
	    colon[1 + strspn(colon + 1, "0123456789")])
		return uwsgi_error_set(e, "%s: the port is no number from 1 to 65535", copy);
	return 0;
}
