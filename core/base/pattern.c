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
};

static int compile(struct pattern *p, const char *text, struct error *e)
{
	PCRE2_UCHAR why[128];
	PCRE2_SIZE at;
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

int uwsgi_pattern_groups(const struct pattern *p, struct slice text, struct slice *groups,
			 size_t count)
{
	if (!text.p)
		text = SLICE("");
	PCRE2_SPTR at = (PCRE2_SPTR)text.p;
	/* One for each call: threads share the pattern, and no memory is kept between texts. */
	pcre2_match_data *data = pcre2_match_data_create(count ? (uint32_t)count : 1, NULL);

	if (!data)
		return -1;
	int found = pcre2_match(p->code, at, text.n, 0, 0, data, p->limits);
	/* Compiled code has 32 KiB of stack, which some expressions use up on a long text. */
	if (found == PCRE2_ERROR_JIT_STACKLIMIT)
		found = pcre2_match(p->code, at, text.n, 0, PCRE2_NO_JIT, data, p->limits);
	if (found >= 0)
		take_groups(data, text, found, groups, count);
	pcre2_match_data_free(data);
	/* An expression may ask for UTF-8, "(*UTF)", and a text be none. */
	bool is_utf8 = found > PCRE2_ERROR_UTF8_ERR1 || found < PCRE2_ERROR_UTF8_ERR21;
	return found >= 0 ? 1 : found == PCRE2_ERROR_NOMATCH || !is_utf8 ? 0 : -1;
}
