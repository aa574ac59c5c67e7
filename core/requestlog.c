/* SPDX-License-Identifier: MIT */
/* requestlog.c: formats the line that a request leaves in the log.  The lane decides whether
 * there is one and writes it. */
#include "requestlog.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

struct line {
	char *p;
	size_t n, size;
};

static void add(struct line *l, const char *fmt, ...) UWSGI_PRINTF(2, 3);

static void add(struct line *l, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	int n = vsnprintf(l->p + l->n, l->size - l->n, fmt, ap);
	va_end(ap);
	if (n > 0)
		l->n += (size_t)n < l->size - l->n ? (size_t)n : l->size - l->n - 1;
}

/* Bytes of the client: control characters would forge lines or confuse terminals. */
static void add_untrusted(struct line *l, struct slice s)
{
	for (size_t i = 0; i < s.n && l->n + 5 < l->size; i++) {
		unsigned char byte = (unsigned char)s.p[i];

		if (byte < 0x20 || byte == 0x7f)
			add(l, "\\x%02x", byte);
		else
			l->p[l->n++] = (char)byte;
	}
}

static void add_memory(struct line *l, const struct memory *m)
{
	unsigned long long size = m->address_space, resident = m->resident;

	if (size > 0)
		add(l, "{address space usage: %llu bytes/%lluMB} {rss usage: %llu bytes/%lluMB} ",
		    size, size >> 20, resident, resident >> 20);
}

static void add_time(struct line *l, int64_t at_us)
{
	time_t t = (time_t)(at_us / 1000000);
	char text[32];

	ctime_r(&t, text);
	add(l, "[%.24s] ", text);
}

size_t requestlog_format(char *text, size_t size, const struct requestlog_entry *entry,
			 const struct request *rq, const struct response *rs)
{
	struct line l = { text, 0, size };

	add_memory(&l, &entry->memory);
	add(&l, "[pid: %ld|app: 0|req: %llu/%llu] ", (long)entry->pid,
	    (unsigned long long)entry->worker_requests, (unsigned long long)entry->server_requests);
	add_untrusted(&l, uwsgi_request_find(rq, SLICE("REMOTE_ADDR")));
	add(&l, " (");
	add_untrusted(&l, uwsgi_request_find(rq, SLICE("REMOTE_USER")));
	/* uWSGI counts names and values. */
	add(&l, ") {%zu vars in %zu bytes} ", 2 * rq->count, rq->vars_size);
	add_time(&l, entry->began_us);
	add_untrusted(&l, uwsgi_request_find(rq, SLICE("REQUEST_METHOD")));
	add(&l, " ");
	add_untrusted(&l, uwsgi_request_find(rq, SLICE("REQUEST_URI")));
	add(&l, " => generated %lld bytes in %lld msecs (", (long long)rs->body,
	    (long long)((entry->ended_us - entry->began_us) / 1000));
	add_untrusted(&l, uwsgi_request_find(rq, SLICE("SERVER_PROTOCOL")));
	add(&l, " %d) %zu headers in %zu bytes (%u switches on core %d)\n", rs->status, rs->count,
	    rs->head_size, rs->switches, entry->lane);
	return l.n;
}
