/* SPDX-License-Identifier: MIT */
/* folded.c: the stacks of a profile, each once with how often it was seen.  While requests wait for the
 * GIL only addresses are compared; names are looked up at the end, so code objects are kept until
 * then. */
#include "internal.h"

#include <stdlib.h>

/* Some 2.5 MB in all.  Stacks beyond that are counted as dropped, and of a deeper one the outer frames
 * are left out. */
enum { STACKS = 4096, PLACES = 2 * STACKS, FRAMES = 1 << 17, DEPTH = 128 };
enum { ROUTES = 256, ROUTE_SIZE = 96, SEGMENTS = 4, SEGMENT_MAX = 40 };
/* So much text is sent before the GIL is taken again. */
enum { TEXT_AT_A_TIME = 65536 };

struct at {
	PyCodeObject *code; /* a reference */
	int line;
};

struct stack {
	uint64_t hash;
	size_t first; /* of its frames, the innermost */
	unsigned depth, route, times;
	bool cut;
};

struct folded {
	struct stack stack[STACKS];
	size_t stack_count, written;
	unsigned short place[PLACES]; /* by hash: 1 + the stack; 0: none */
	struct at frame[FRAMES];
	size_t frame_count;
	char route[ROUTES][ROUTE_SIZE];
	size_t route_count;
	unsigned dropped;
};

/* Zeroed by the kernel, and there as far as it is used. */
struct folded *folded_new(void)
{
	return calloc(1, sizeof(struct folded));
}

void folded_free(struct folded *f)
{
	for (size_t i = 0; f && i < f->frame_count; i++)
		Py_DECREF(f->frame[i].code);
	free(f);
}

/* ---- routes ---- */

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* A number, a date, a key: what differs between requests of one route. */
static bool is_value(struct slice segment)
{
	size_t digits = 0;

	for (size_t i = 0; i < segment.n; i++)
		digits += is_digit(segment.p[i]);
	return digits * 2 > segment.n || (digits >= 4 && segment.n >= 16) ||
	       segment.n > SEGMENT_MAX;
}

static size_t append(char *route, size_t size, size_t n, struct slice words)
{
	if (n + words.n >= size)
		return n;
	memcpy(route + n, words.p, words.n);
	route[n + words.n] = '\0';
	return n + words.n;
}

/* Where a request belongs: its method and path, what looks like a number or a key being "*". */
static void write_route(const struct request *rq, char *route, size_t size)
{
	struct slice path = uwsgi_request_find(rq, SLICE("PATH_INFO"));
	char method[16], segment[4 * SEGMENT_MAX + 1];
	size_t n = uwsgi_escape(method, sizeof method,
				uwsgi_request_find(rq, SLICE("REQUEST_METHOD")));

	n = append(route, size, 0, (struct slice){ method, n });
	n = append(route, size, n, SLICE(" "));
	for (int i = 0; path.n > 0; i++) {
		const char *slash = memchr(path.p + 1, '/', path.n - 1);
		size_t length = slash ? (size_t)(slash - path.p) : path.n;
		struct slice s = { path.p + 1, length - 1 };

		if (i == SEGMENTS) {
			append(route, size, n, SLICE("/..."));
			return;
		}
		n = append(route, size, n, SLICE("/"));
		size_t written = is_value(s) ? 0 : uwsgi_escape(segment, sizeof segment, s);
		n = append(route, size, n,
			   is_value(s) ? SLICE("*") : (struct slice){ segment, written });
		path = (struct slice){ path.p + length, path.n - length };
	}
}

/* Its number.  The last one is for all that have no place. */
static unsigned route_of(struct folded *f, const struct request *rq)
{
	char route[ROUTE_SIZE];

	write_route(rq, route, sizeof route);
	for (unsigned i = 0; i < f->route_count; i++)
		if (!strcmp(f->route[i], route))
			return i;
	if (f->route_count == ROUTES)
		return ROUTES - 1;
	strcpy(f->route[f->route_count], f->route_count == ROUTES - 1 ? "[others]" : route);
	return (unsigned)f->route_count++;
}

/* ---- stacks ---- */

/* With references to its code objects. */
static void look(const struct lane *lane, struct at *at, struct stack *s)
{
	int was_on = compat_pause_collector();
	PyFrameObject *frame = PyThreadState_GetFrame(lane->thread);

	while (frame && s->depth < DEPTH) {
		PyFrameObject *back = PyFrame_GetBack(frame);

		at[s->depth].code = PyFrame_GetCode(frame);
		int line = PyFrame_GetLineNumber(frame);
		at[s->depth++].line = line > 0 ? line : 0; /* some instructions have none */
		Py_DECREF(frame);
		frame = back;
	}
	s->cut = frame != NULL;
	Py_XDECREF(frame);
	compat_resume_collector(was_on);
}

static uint64_t hash_of(const struct stack *s, const struct at *at)
{
	uint64_t hash = 0xcbf29ce484222325 ^ s->route;

	for (unsigned i = 0; i < s->depth; i++) {
		hash = (hash ^ (uintptr_t)at[i].code) * 0x100000001b3; /* FNV-1a's */
		hash = (hash ^ (unsigned)at[i].line) * 0x100000001b3;
		hash ^= hash >> 29;
	}
	return hash;
}

static bool is_same(const struct folded *f, const struct stack *known, const struct stack *s,
		    const struct at *at)
{
	const struct at *other = &f->frame[known->first];

	if (known->hash != s->hash || known->depth != s->depth || known->route != s->route)
		return false;
	for (unsigned i = 0; i < s->depth; i++)
		if (other[i].code != at[i].code || other[i].line != at[i].line)
			return false;
	return true;
}

/* The place of the same one, or a free one: there are more than stacks. */
static unsigned short *place_of(struct folded *f, const struct stack *s, const struct at *at)
{
	size_t i = s->hash % PLACES;

	while (f->place[i] && !is_same(f, &f->stack[f->place[i] - 1], s, at))
		i = (i + 1) % PLACES;
	return &f->place[i];
}

void folded_add(struct folded *f, const struct lane *lane, unsigned times)
{
	struct stack s = { .route = route_of(f, lane->rq), .times = times };
	struct at at[DEPTH];

	look(lane, at, &s);
	s.hash = hash_of(&s, at);
	unsigned short *place = place_of(f, &s, at);
	bool is_new = !*place;

	if (!is_new) {
		f->stack[*place - 1].times += times;
	} else if (f->stack_count == STACKS || FRAMES - f->frame_count < s.depth) {
		f->dropped += times;
		is_new = false;
	} else {
		s.first = f->frame_count;
		memcpy(&f->frame[s.first], at, s.depth * sizeof *at);
		f->frame_count += s.depth;
		f->stack[f->stack_count++] = s;
		*place = (unsigned short)f->stack_count;
	}
	for (unsigned i = 0; !is_new && i < s.depth; i++)
		Py_DECREF(at[i].code);
}

/* ---- as text ---- */

static void put_number(struct text *t, const char *before, unsigned n)
{
	char text[32];

	text_put(t, (struct slice){ text, (size_t)snprintf(text, sizeof text, "%s%u", before, n) });
}

/* A semicolon would look like the end of a frame. */
static void replace_semicolons(struct text *t, size_t from)
{
	for (size_t i = from; i < t->n; i++)
		if (t->p[i] == ';')
			t->p[i] = ',';
}

static void put_frame(struct text *t, const struct at *at)
{
	size_t from = t->n + 1;

	text_put(t, SLICE(";"));
	text_put_attribute(t, (PyObject *)at->code, "co_filename");
	text_put(t, SLICE(":"));
	text_put_attribute(t, (PyObject *)at->code, COMPAT_FUNCTION_NAME);
	put_number(t, ":", (unsigned)at->line);
	replace_semicolons(t, from);
}

static void put_stack(const struct folded *f, struct text *t, const struct stack *s)
{
	size_t from = t->n;

	text_put(t, (struct slice){ f->route[s->route], strlen(f->route[s->route]) });
	replace_semicolons(t, from);
	if (s->cut)
		text_put(t, SLICE(";[...]"));
	if (s->depth == 0)
		text_put(t, SLICE(";[server]"));
	for (unsigned i = s->depth; i > 0; i--)
		put_frame(t, &f->frame[s->first + i - 1]);
	put_number(t, " ", s->times);
	text_put(t, SLICE("\n"));
}

bool folded_write_some(struct folded *f, struct text *t)
{
	while (f->written < f->stack_count && t->n < TEXT_AT_A_TIME)
		put_stack(f, t, &f->stack[f->written++]);
	if (f->written < f->stack_count)
		return true;
	if (f->dropped) {
		put_number(t, "[dropped] ", f->dropped);
		text_put(t, SLICE("\n"));
	}
	return false;
}
