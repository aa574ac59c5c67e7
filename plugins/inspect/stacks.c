/* SPDX-License-Identifier: MIT */
/* stacks.c: /stacks, what every thread of every worker does at this moment, for people and as JSON.  Of a
 * worker that does not answer there is what the scoreboard knows: which requests run, and since when. */
#include "gather.h"

#include "stats/report.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How long a worker has. */
#define PATIENCE_S 0.5

/* It has said that it waits for the GIL, and then nothing; or not even that. */
#define HOLDS_GIL "holds the GIL, no answer in 500 ms"
#define NO_ANSWER "no answer in 500 ms: it is stopped, or the machine has no time for it"
#define BROKE_OFF "it is gone, or could not be asked"

/* ---- what a worker has said ---- */

/* The next line of its answer, whose tabs become ends, as fields; 0: there are no more. */
static size_t next_line(char **at, const char *fields[4])
{
	char *line = *at, *end = line ? strchr(line, '\n') : NULL;
	size_t n = 0;

	if (!end || end == line)
		return 0;
	*end = '\0';
	*at = end + 1;
	for (char *field; n < 4 && (field = strsep(&line, "\t"));)
		fields[n++] = field;
	while (n > 0 && n < 4)
		fields[n++] = "";
	return n;
}

/* Why there are no stacks; NULL: there are. */
static const char *trouble_of(const struct part *p, char *sentence, size_t size)
{
	if (p->whole && p->text[0] != '!')
		return NULL;
	if (p->whole) {
		snprintf(sentence, size, "%.*s", (int)strcspn(p->text + 1, "\n"), p->text + 1);
		return sentence;
	}
	return !p->late ? BROKE_OFF : p->n > 0 ? HOLDS_GIL : NO_ANSWER;
}

static bool find_lane(const struct gather *g, pid_t pid, int lane, struct lane_status *l)
{
	size_t i = 0;

	while (uwsgi_status_next(client_status(g->client), &i, l))
		if (l->pid == pid && l->lane == lane) {
			if (!g->known)
				l->uri[strcspn(l->uri, "?")] = '\0';
			return true;
		}
	return false;
}

/* ---- for people ---- */

static void write_escaped(FILE *out, const char *text)
{
	char escaped[1024];

	uwsgi_escape(escaped, sizeof escaped, (struct slice){ text, strlen(text) });
	fputs(escaped, out);
}

static void write_request(FILE *out, const struct lane_status *l)
{
	fputs("runs ", out);
	write_escaped(out, l->method);
	fputs(" ", out);
	write_escaped(out, l->uri);
	fprintf(out, " for %.1f s", (double)l->running_ms / 1000);
}

static void write_lanes(FILE *out, const struct gather *g, pid_t pid)
{
	struct lane_status l;

	for (int i = 0; find_lane(g, pid, i, &l); i++) {
		fprintf(out, "  lane %d ", i);
		if (l.busy)
			write_request(out, &l);
		else
			fputs("is idle", out);
		fputs("\n", out);
	}
}

static void write_thread(FILE *out, const struct gather *g, pid_t pid, const char *fields[4])
{
	struct lane_status l;

	fprintf(out, "\n  thread %s", fields[2]);
	if (fields[1][0] != '-' && find_lane(g, pid, atoi(fields[1]), &l) && l.busy) {
		fputs(" ", out);
		write_request(out, &l);
	}
	fputs(", most recent call first:\n", out);
}

static void write_part(FILE *out, const struct gather *g, const struct part *p)
{
	char sentence[256];
	const char *fields[4], *trouble = trouble_of(p, sentence, sizeof sentence);
	char *at = trouble ? NULL : p->text;

	fprintf(out, "worker %d (pid %ld)%s%s\n", p->worker, (long)p->pid, trouble ? ": " : "",
		trouble ? trouble : "");
	write_lanes(out, g, p->pid);
	while (next_line(&at, fields)) {
		if (fields[0][0] == 'T')
			write_thread(out, g, p->pid, fields);
		else if (fields[0][0] == 'F')
			fprintf(out, "    %s:%s %s\n", fields[1], fields[2], fields[3]);
	}
	fputs("\n", out);
}

static char *write_text(struct gather *g)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	for (size_t i = 0; out && i < g->count; i++)
		write_part(out, g, &g->parts[i]);
	if (out && fclose(out) == 0)
		return text;
	free(text);
	return NULL;
}

/* ---- as JSON ---- */

static json_t *thread_of(const struct gather *g, pid_t pid, const char *fields[4])
{
	json_t *thread = json_object(), *request = json_null();
	struct lane_status l;
	bool is_lane = fields[1][0] != '-';

	json_object_set_new(thread, "name", report_string(fields[2]));
	json_object_set_new(thread, "lane", is_lane ? json_integer(atoi(fields[1])) : json_null());
	if (is_lane && find_lane(g, pid, atoi(fields[1]), &l) && l.busy) {
		request = json_object();
		json_object_set_new(request, "method", report_string(l.method));
		json_object_set_new(request, "uri", report_string(l.uri));
		json_object_set_new(request, "ms", json_integer(l.running_ms));
	}
	json_object_set_new(thread, "request", request);
	json_object_set_new(thread, "frames", json_array());
	return thread;
}

static json_t *frame_of(const char *fields[4])
{
	json_t *frame = json_object();

	json_object_set_new(frame, "file", report_string(fields[1]));
	json_object_set_new(frame, "line", json_integer(atoi(fields[2])));
	json_object_set_new(frame, "function", report_string(fields[3]));
	return frame;
}

static json_t *worker_of(const struct gather *g, const struct part *p)
{
	char sentence[256];
	const char *fields[4], *trouble = trouble_of(p, sentence, sizeof sentence);
	json_t *worker = json_object(), *threads = json_array(), *last = NULL;
	char *at = trouble ? NULL : p->text;

	json_object_set_new(worker, "worker", json_integer(p->worker));
	json_object_set_new(worker, "pid", json_integer(p->pid));
	json_object_set_new(worker, "trouble", trouble ? json_string(trouble) : json_null());
	while (next_line(&at, fields)) {
		if (fields[0][0] == 'T') {
			last = thread_of(g, p->pid, fields);
			json_array_append_new(threads, last);
		} else if (last && fields[0][0] == 'F') {
			json_array_append_new(json_object_get(last, "frames"), frame_of(fields));
		}
	}
	json_object_set_new(worker, "threads", threads);
	return worker;
}

static char *write_json(struct gather *g)
{
	json_t *all = json_array();

	for (size_t i = 0; i < g->count; i++)
		json_array_append_new(all, worker_of(g, &g->parts[i]));
	char *text = json_dumps(all, JSON_INDENT(1));
	json_decref(all);
	return text;
}

/* ---- the answer ---- */

static void answer(struct gather *g, char *text, const char *type)
{
	const struct answer a = { 200, type, NULL, { NULL, 0 } };

	client_answer_text(g->client, &a, text, text ? strlen(text) : 0);
	gather_end(g);
}

static void done_as_text(struct gather *g)
{
	answer(g, write_text(g), "text/plain; charset=utf-8");
}

static void done_as_json(struct gather *g)
{
	answer(g, write_json(g), "application/json");
}

static bool wants_json(struct slice accept)
{
	return accept.n > 0 && memmem(accept.p, accept.n, "application/json", 16);
}

void answer_stacks(struct client *c, const struct asked *asked)
{
	struct slice format = query_find(asked->query, SLICE("format"));
	bool as_json = format.p ? uwsgi_same(format, SLICE("json")) : wants_json(asked->accept);
	const struct order order = { .kind = ORDER_STACKS };
	const struct gather setup = { .client = c,
				      .known = asked->known,
				      .done = as_json ? done_as_json : done_as_text };
	long worker;

	if (!query_number(asked->query, SLICE("worker"), 0, 1, INT32_MAX, &worker)) {
		client_refuse(c, 400, NULL, "/stacks?worker=its number&format=json\n");
		return;
	}
	gather_begin(&setup, &order, (int)worker, PATIENCE_S);
}
