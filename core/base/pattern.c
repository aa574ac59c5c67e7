/* SPDX-License-Identifier: MIT */
/* pattern.c: Perl's expressions are PCRE2's work; here stands how much of it one text may cost.
 * Options that take an expression call it.  Texts come from clients too, so an expression that
 * explodes on some of them must not stop the process that tries it. */
#include <uwsgi/plugin.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdlib.h>

/* A hundred thousand steps take about a millisecond in the interpreter, a tenth of that compiled.
 * Ordinary expressions need a few for each byte. */
enum { MOST_STEPS = 100000, MOST_MEMORY_KIB = 16384 };

struct pattern {
	pcre2_code *code;
	pcre2_match_context *limits;
	bool compiled; /* to code of the machine */
};

static int compile(struct pattern *p, const char *text, struct error *e)
{
	PCRE2_UCHAR why[128];
	PCRE2_SIZE at;
	size_t size = 0;
	int error;

	p->code = pcre2_compile((PCRE2_SPTR)text, PCRE2_ZERO_TERMINATED, 0, &error, &at, NULL);
	if (!p->code) {
		pcre2_get_error_message(error, why, sizeof why);
		return uwsgi_error_set(e, "%s: %s (at byte %zu of the expression)", text,
				       (const char *)why, at);
	}
	p->limits = pcre2_match_context_create(NULL);
	if (!p->limits)
		return uwsgi_error_set(e, "out of memory");
	pcre2_set_match_limit(p->limits, MOST_STEPS);
	pcre2_set_depth_limit(p->limits, MOST_STEPS);
	pcre2_set_heap_limit(p->limits, MOST_MEMORY_KIB);
	/* Where no memory may be executable (MemoryDenyWriteExecute), PCRE2 interprets. */
	pcre2_jit_compile(p->code, PCRE2_JIT_COMPLETE);
	pcre2_pattern_info(p->code, PCRE2_INFO_JITSIZE, &size);
	p->compiled = size > 0;
	return 0;
}

struct pattern *uwsgi_pattern_new(const char *text, struct error *e)
{
	struct pattern *p = calloc(1, sizeof *p);

	if (!p) {
		uwsgi_error_set(e, "out of memory");
	} else if (compile(p, text, e)) {
		uwsgi_pattern_free(p);
		p = NULL;
	}
	return p;
}

void uwsgi_pattern_free(struct pattern *p)
{
	if (!p)
		return;
	pcre2_match_context_free(p->limits);
	pcre2_code_free(p->code);
	free(p);
}

static void take_groups(pcre2_match_data *data, struct slice text, int found, struct slice *groups,
			size_t count)
{
	const PCRE2_SIZE *at = pcre2_get_ovector_pointer(data);

	for (size_t i = 0; i < count; i++) {
		bool matched = (found == 0 || i < (size_t)found) && at[2 * i] != PCRE2_UNSET &&
			       at[2 * i] <= at[2 * i + 1];

		groups[i] =
			matched ? (struct slice){ text.p + at[2 * i], at[2 * i + 1] - at[2 * i] }
				: (struct slice){ NULL, 0 };
	}
}

int uwsgi_pattern_matches(const struct pattern *p, struct slice text)
{
	return uwsgi_pattern_groups(p, text, NULL, 0);
}

/* ---- memory for one text: from the stack of who asks, so that threads share a pattern and a request
 * costs no allocation; what does not fit comes from the heap ---- */

/* Compiled code needs some 500 bytes, the interpreter 20 KiB. */
enum { COMPILED_SCRATCH = 1024, INTERPRETED_SCRATCH = 24576, ALIGNED = 16 };

struct scratch {
	char *bytes, *at, *end;
};

static void *take(PCRE2_SIZE n, void *data)
{
	struct scratch *s = data;
	size_t room = (size_t)(s->end - s->at);

	if (n > room - room % ALIGNED)
		return malloc(n);
	char *p = s->at;
	s->at += (n + ALIGNED - 1) / ALIGNED * ALIGNED;
	return p;
}

static void give_back(void *p, void *data)
{
	const struct scratch *s = data;

	if ((char *)p < s->bytes || (char *)p >= s->end)
		free(p);
}

static int match(const struct pattern *p, struct slice text, struct slice *groups, size_t count,
		 struct scratch *scratch)
{
	PCRE2_SPTR at = (PCRE2_SPTR)text.p;
	pcre2_general_context *memory = pcre2_general_context_create(take, give_back, scratch);
	pcre2_match_data *data =
		memory ? pcre2_match_data_create(count ? (uint32_t)count : 1, memory) : NULL;
	int found = PCRE2_ERROR_NOMEMORY;

	if (data)
		found = pcre2_match(p->code, at, text.n, 0, 0, data, p->limits);
	/* Compiled code has 32 KiB of stack, which some expressions use up on a long text. */
	if (found == PCRE2_ERROR_JIT_STACKLIMIT)
		found = pcre2_match(p->code, at, text.n, 0, PCRE2_NO_JIT, data, p->limits);
	if (found >= 0)
		take_groups(data, text, found, groups, count);
	pcre2_match_data_free(data);
	pcre2_general_context_free(memory);
	return found;
}

/* Not in line: only this one takes so much of the stack. */
__attribute__((noinline)) static int interpret(const struct pattern *p, struct slice text,
					       struct slice *groups, size_t count)
{
	_Alignas(ALIGNED) char bytes[INTERPRETED_SCRATCH];
	struct scratch scratch = { bytes, bytes, bytes + sizeof bytes };

	return match(p, text, groups, count, &scratch);
}

static int run_compiled(const struct pattern *p, struct slice text, struct slice *groups,
			size_t count)
{
	_Alignas(ALIGNED) char bytes[COMPILED_SCRATCH];
	struct scratch scratch = { bytes, bytes, bytes + sizeof bytes };

	return match(p, text, groups, count, &scratch);
}

int uwsgi_pattern_groups(const struct pattern *p, struct slice text, struct slice *groups,
			 size_t count)
{
	if (!text.p)
		text = SLICE("");
	int found = p->compiled ? run_compiled(p, text, groups, count)
				: interpret(p, text, groups, count);
	/* An expression may ask for UTF-8, "(*UTF)", and a text be none. */
	bool is_utf8 = found > PCRE2_ERROR_UTF8_ERR1 || found < PCRE2_ERROR_UTF8_ERR21;
	return found >= 0 ? 1 : found == PCRE2_ERROR_NOMATCH || !is_utf8 ? 0 : -1;
}
