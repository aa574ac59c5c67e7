/* SPDX-License-Identifier: MIT */
/* profile.c: /profile, what the busy lanes of all workers do for a while, as folded stacks: a line each,
 * "route;frame;frame count".  One at a time: two would be in each other's stacks. */
#include "gather.h"
#include "server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SECONDS = 10, HZ = 99 };

/* How long workers may take for the rest, beyond that. */
#define GRACE_S 5.

/* ---- one sum of all ---- */

struct row {
	struct slice stack;
	unsigned long long times;
};

static size_t count_lines(const struct gather *g)
{
	size_t n = 0;

	for (size_t i = 0; i < g->count; i++)
		for (const char *p = g->parts[i].text; p && (p = strchr(p, '\n')); p++)
			n++;
	return n;
}

/* Of one worker, as far as they came; lines that are no rows are left out. */
static size_t read_rows(const struct part *part, struct row *rows)
{
	size_t n = 0;
	const char *end;

	for (const char *p = part->text; p && (end = strchr(p, '\n')); p = end + 1) {
		const char *blank = memrchr(p, ' ', (size_t)(end - p));

		if (*p != '!' && blank && blank > p)
			rows[n++] = (struct row){ { p, (size_t)(blank - p) },
						  strtoull(blank + 1, NULL, 10) };
	}
	return n;
}

static int compare(const void *a, const void *b)
{
	const struct slice x = ((const struct row *)a)->stack, y = ((const struct row *)b)->stack;
	int order = memcmp(x.p, y.p, x.n < y.n ? x.n : y.n);

	return order ? order : x.n < y.n ? -1 : x.n > y.n;
}

static void write_sums(FILE *out, struct row *rows, size_t n)
{
	qsort(rows, n, sizeof *rows, compare);
	for (size_t i = 0; i < n; i++) {
		if (i + 1 < n && uwsgi_same(rows[i].stack, rows[i + 1].stack)) {
			rows[i + 1].times += rows[i].times;
			continue;
		}
		fprintf(out, "%.*s %llu\n", (int)rows[i].stack.n, rows[i].stack.p, rows[i].times);
	}
}

/* NULL: no memory. */
static char *sum_up(const struct gather *g, size_t *size)
{
	struct row *rows = malloc((count_lines(g) + 1) * sizeof *rows);
	char *text = NULL;
	FILE *out = rows ? open_memstream(&text, size) : NULL;
	size_t n = 0;

	if (out) {
		for (size_t i = 0; i < g->count; i++)
			n += read_rows(&g->parts[i], rows + n);
		write_sums(out, rows, n);
		if (fclose(out)) {
			free(text);
			text = NULL;
		}
	}
	free(rows);
	return text;
}

/* ---- the answer ---- */

/* Why nobody has an answer, as a line. */
static void refuse(struct gather *g)
{
	const char *why = "no worker has answered in time";
	char line[256];

	for (size_t i = 0; i < g->count; i++)
		if (g->parts[i].text && g->parts[i].text[0] == '!')
			why = g->parts[i].text + 1;
	snprintf(line, sizeof line, "%.*s\n", (int)strcspn(why, "\n"), why);
	client_refuse(g->client, 503, NULL, line);
}

/* A part that came from a worker that left, or has ended early, counts as well. */
static bool is_anything_there(const struct gather *g)
{
	for (size_t i = 0; i < g->count; i++)
		if (g->parts[i].text && g->parts[i].text[0] != '!')
			return true;
	return false;
}

static void done(struct gather *g)
{
	size_t size = 0;

	if (!is_anything_there(g)) {
		refuse(g);
	} else {
		const struct answer a = { 200, "text/plain; charset=utf-8", NULL, { NULL, 0 } };
		char *text = sum_up(g, &size);

		client_answer_text(g->client, &a, text, size);
	}
	gather_end(g);
}

static void over(struct gather *g)
{
	((struct server *)g->data)->profile = NULL;
}

void answer_profile(struct client *c, const struct asked *asked)
{
	struct server *server = c->server;
	long seconds, hz, worker;

	if (!query_number(asked->query, SLICE("seconds"), SECONDS, 1, ORDER_SECONDS_MAX,
			  &seconds) ||
	    !query_number(asked->query, SLICE("hz"), HZ, 1, ORDER_HZ_MAX, &hz) ||
	    !query_number(asked->query, SLICE("worker"), 0, 1, INT32_MAX, &worker)) {
		client_refuse(c, 400, NULL,
			      "/profile?seconds=1 to 60&hz=1 to 250&worker=its number\n");
		return;
	}
	if (server->profile) {
		client_refuse(c, 409, NULL, "another profile is under way\n");
		return;
	}
	const struct order order = { ORDER_PROFILE, (int)seconds, (int)hz };
	const struct gather setup = { .client = c, .done = done, .over = over, .data = server };

	server->profile = gather_begin(&setup, &order, (int)worker, (double)seconds + GRACE_S);
}
