/* SPDX-License-Identifier: MIT */
/* option.c: the words of one option become a bool, a number, a string or a list item, at the
 * offset its row names.  config.c calls it for users' values and for defaults alike.  Pure:
 * it knows no file, no other option and no module.  What uWSGI takes without a word is taken
 * here with one (OPTION_DOUBTFUL), so that the files of today start. */
#include "settings/option.h"

#include "base/address.h"

#include <assert.h>
#include <ctype.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct value {
	const struct option *row;
	const char *name, *text;
	void *at;
	struct arena *arena;
	struct error *e;
};

UWSGI_PRINTF(3, 4)
static enum option_verdict say(const struct value *v, enum option_verdict verdict, const char *fmt,
			       ...)
{
	va_list ap;
	char text[512];

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	if (*v->text)
		uwsgi_error_set(v->e, "%s = %s: %s", v->name, v->text, text);
	else
		uwsgi_error_set(v->e, "%s: %s", v->name, text);
	return verdict;
}

int option_boolean(const char *text)
{
	static const char *const yes[] = { "true", "yes", "on", "1" };
	static const char *const no[] = { "false", "no", "off", "0" };

	for (size_t i = 0; i < sizeof yes / sizeof *yes; i++) {
		if (strcasecmp(text, yes[i]) == 0)
			return 1;
		if (strcasecmp(text, no[i]) == 0)
			return 0;
	}
	return -1;
}

static enum option_verdict store_flag(const struct value *v)
{
	int yes = option_boolean(v->text);

	*(bool *)v->at = yes != 0;
	if (yes >= 0)
		return OPTION_STORED;
	return say(v, OPTION_DOUBTFUL, "a flag is true or false; taken as true");
}

/* ---- numbers ---- */

static bool is_time(const struct option *row)
{
	return row->type == OPT_SECONDS || row->type == OPT_SPAN;
}

static const char *kind_of_number(const struct option *row)
{
	if (row->type == OPT_SIZE)
		return "a number of bytes (k, m and g are understood)";
	if (row->type == OPT_SECONDS)
		return "a whole number of seconds";
	if (row->type == OPT_SPAN)
		return "a number of seconds, such as 30 or 1.5";
	return "a whole number";
}

/* The factor of a suffix such as k, M, MB or MiB; 0: no such suffix. */
static long long size_factor(const char *suffix)
{
	static const char letters[] = "kmgt";
	const char *l = *suffix ? strchr(letters, tolower((unsigned char)*suffix)) : NULL;

	if (!l)
		return 0;
	if (suffix[1] && strcasecmp(suffix + 1, "b") != 0 && strcasecmp(suffix + 1, "ib") != 0)
		return 0;
	return 1LL << (10 * (l - letters + 1));
}

static long long second_factor(const char *suffix)
{
	static const struct {
		const char *suffix;
		long long factor;
	} units[] = { { "s", 1 },     { "sec", 1 },     { "second", 1 }, { "m", 60 },
		      { "min", 60 },  { "minute", 60 }, { "h", 3600 },   { "hour", 3600 },
		      { "d", 86400 }, { "day", 86400 } };

	for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
		size_t n = strlen(units[i].suffix);

		if (strncasecmp(suffix, units[i].suffix, n) == 0 &&
		    (!suffix[n] || (n > 1 && strcasecmp(suffix + n, "s") == 0)))
			return units[i].factor;
	}
	return 0;
}

/* uWSGI reads the digits and nothing behind them.  So do we when that is what was meant; a
 * letter behind a number means something, and is asked about. */
static enum option_verdict apply_suffix(const struct value *v, const char *rest, long long *n)
{
	const struct option *row = v->row;
	long long factor = 0, product;

	rest += strspn(rest, " \t");
	if (row->type == OPT_SIZE)
		factor = strcasecmp(rest, "b") == 0 || strcasecmp(rest, "bytes") == 0
				 ? 1
				 : size_factor(rest);
	else if (row->unit && strcasecmp(row->unit, "MB") == 0)
		factor = size_factor(rest) >> 20; /* the number itself counts megabytes */
	else if (is_time(row) && strcasecmp(rest, "s") == 0)
		factor = 1;
	if (factor > 0) {
		if (__builtin_mul_overflow(*n, factor, &product))
			product = *n < 0 ? LLONG_MIN : LLONG_MAX;
		*n = product;
		return OPTION_STORED;
	}
	if (is_time(row))
		factor = second_factor(rest);
	if (factor > 1 && !__builtin_mul_overflow(*n, factor, &product))
		return say(v, OPTION_REFUSED, "this is in seconds, write %lld", product);
	if (factor == 1 || strspn(rest, ";,\"' \t") == strlen(rest))
		return say(v, OPTION_DOUBTFUL, "taken as %lld", *n);
	return say(v, OPTION_REFUSED, "expected %s", kind_of_number(row));
}

/* As users write it. */
static const char *number_text(const struct option *row, long long n, char text[32])
{
	if (row->type != OPT_SPAN || n % 1000 == 0)
		snprintf(text, 32, "%lld", row->type == OPT_SPAN ? n / 1000 : n);
	else
		snprintf(text, 32, "%lld.%03lld", n / 1000, n % 1000);
	return text;
}

static bool has_bounds(const struct option *row)
{
	return row->min != 0 || row->max != 0;
}

static bool in_bounds(const struct option *row, long long n)
{
	return n >= row->min && (!has_bounds(row) || row->max < row->min || n <= row->max);
}

/* uWSGI makes 0 of a word.  Whoever writes "post-buffering = true" wants the feature, whoever
 * writes false does not. */
static enum option_verdict store_boolean_number(const struct value *v, int yes)
{
	if (!yes && in_bounds(v->row, 0)) {
		*(long long *)v->at = 0;
		return say(v, OPTION_DOUBTFUL, "expected %s; taken as 0", kind_of_number(v->row));
	}
	return say(v, OPTION_DOUBTFUL, "expected %s; ignored, %s stays", kind_of_number(v->row),
		   v->row->initial ? v->row->initial : "0");
}

/* Reads what a row of ours says: it is right. */
static enum option_verdict store_number(const struct value *);
static void store_own(const struct value *v, const char *text)
{
	struct value own = *v;

	own.text = text;
	enum option_verdict verdict = store_number(&own);
	assert(verdict == OPTION_STORED);
	(void)verdict;
}

/* Who writes 0 or -1 where neither is possible wants none of it: the longest time, and otherwise
 * what there is without the option. */
static void store_too_small(const struct value *v, long long n)
{
	if (v->row->below)
		store_own(v, v->row->below);
	else if (v->row->min <= 0 || n > 0)
		*(long long *)v->at = v->row->min;
	else if (is_time(v->row))
		*(long long *)v->at = v->row->max;
	else if (v->row->initial)
		store_own(v, v->row->initial);
	else
		*(long long *)v->at = 0;
}

/* uWSGI starts with nearly any number, so its files do so here, with what comes nearest to what
 * they say. */
static enum option_verdict store_nearest(const struct value *v, long long n)
{
	const struct option *row = v->row;
	const char *unit = row->unit ? row->unit : "", *blank = row->unit ? " " : "";
	char bounds[128], least[32], most[32];

	if (n < row->min)
		store_too_small(v, n);
	else
		*(long long *)v->at = row->max;
	number_text(row, row->min, least);
	if (has_bounds(row) && row->max >= row->min)
		snprintf(bounds, sizeof bounds, "from %s to %s%s%s", least,
			 number_text(row, row->max, most), blank, unit);
	else
		snprintf(bounds, sizeof bounds, "at least %s%s%s", least, blank, unit);
	long long taken = *(long long *)v->at;
	if (!row->initial && !in_bounds(row, taken))
		return say(v, OPTION_DOUBTFUL, "must be %s; taken as unset", bounds);
	return say(v, OPTION_DOUBTFUL, "must be %s; taken as %s", bounds,
		   number_text(row, taken, most));
}

/* What stands behind the point of a number of seconds, in milliseconds; *end goes behind it. */
static long long read_fraction(char **end)
{
	long long ms = 0, unit = 100;

	if (**end != '.')
		return 0;
	for (++*end; isdigit((unsigned char)**end); ++*end, unit /= 10)
		ms += (**end - '0') * unit;
	return ms;
}

static enum option_verdict store_number(const struct value *v)
{
	enum option_verdict verdict = OPTION_STORED;
	bool is_span = v->row->type == OPT_SPAN;
	char *end;

	long long n = strtoll(v->text, &end, 10); /* the largest there is where it is larger */
	if (end == v->text) {
		int yes = option_boolean(v->text);

		if (yes >= 0)
			return store_boolean_number(v, yes);
		return say(v, OPTION_REFUSED, "expected %s", kind_of_number(v->row));
	}
	long long part_ms = is_span ? read_fraction(&end) : 0;
	if (*end)
		verdict = apply_suffix(v, end, &n);
	if (verdict == OPTION_REFUSED)
		return verdict;
	if (is_span && __builtin_mul_overflow(n, 1000, &n))
		n = *v->text == '-' ? LLONG_MIN : LLONG_MAX - part_ms;
	n += n < 0 ? -part_ms : part_ms;
	if (!in_bounds(v->row, n))
		return store_nearest(v, n);
	*(long long *)v->at = n;
	return verdict;
}

/* ---- words ---- */

/* "daemonize = true" names a file called true; that is seldom what was meant. */
static enum option_verdict doubt_boolean_word(const struct value *v)
{
	static const char *const words[] = { "true", "false", "yes", "no", "on", "off" };

	if (v->row->text || (v->row->bare && strcasecmp(v->text, v->row->bare) == 0))
		return OPTION_STORED;
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (strcasecmp(v->text, words[i]) == 0)
			return say(v, OPTION_DOUBTFUL, "not a flag: taken as the text \"%s\"",
				   v->text);
	return OPTION_STORED;
}

static enum option_verdict store_string(const struct value *v)
{
	*(const char **)v->at = v->text;
	return doubt_boolean_word(v);
}

static bool is_power_of_two(size_t n)
{
	return (n & (n - 1)) == 0;
}

static enum option_verdict store_item(const struct value *v)
{
	struct option_list *list = v->at;
	const char **items = (const char **)(uintptr_t)list->items;

	/* The array doubles; it is full whenever the count is a power of two, or none. */
	if (is_power_of_two(list->count)) {
		size_t room = list->count ? list->count * 2 : 1;

		items = arena_alloc(v->arena, room * sizeof *items);
		if (!items)
			return say(v, OPTION_REFUSED, "out of memory");
		if (list->count)
			memcpy(items, list->items, list->count * sizeof *items);
		list->items = items;
	}
	items[list->count++] = v->text;
	return doubt_boolean_word(v);
}

static enum option_verdict store_choice(const struct value *v)
{
	char all[256] = "";

	for (int i = 0; v->row->choices[i]; i++) {
		if (strcasecmp(v->text, v->row->choices[i]) == 0) {
			*(int *)v->at = i;
			return OPTION_STORED;
		}
		size_t at = strlen(all);
		snprintf(all + at, sizeof all - at, "%s%s", i ? ", " : "", v->row->choices[i]);
	}
	return say(v, OPTION_REFUSED, "must be one of: %s", all);
}

static bool is_valid(const struct option *row, const char *text, struct error *why)
{
	struct address a;

	if (row->listen != LISTEN_NOT && !address_is_shared(text) && address_parse(&a, text, why))
		return false;
	return !row->valid || row->valid(text, why) == 0;
}

enum option_verdict option_store(const struct option *row, void *settings, const char *name,
				 const char *value, struct arena *arena, struct error *e)
{
	static enum option_verdict (*const store[])(const struct value *) = {
		[OPT_FLAG] = store_flag,     [OPT_INT] = store_number,
		[OPT_SIZE] = store_number,   [OPT_SECONDS] = store_number,
		[OPT_STRING] = store_string, [OPT_LIST] = store_item,
		[OPT_CHOICE] = store_choice, [OPT_SPAN] = store_number,
	};
	struct value v = { row, name, value, (char *)settings + row->offset, arena, e };

	assert(!row->same_as && row->type < sizeof store / sizeof *store);
	if (!value || !*value || (row->bare && strcasecmp(value, "true") == 0))
		v.text = row->bare;
	if (!v.text && row->type == OPT_FLAG)
		v.text = "true";
	if (!v.text) {
		v.text = "";
		return say(&v, OPTION_DOUBTFUL, "has no value; ignored");
	}
	struct error why;
	if (!is_valid(row, v.text, &why))
		return say(&v, OPTION_REFUSED, "%s", why.text);
	return store[row->type](&v);
}

void option_store_initial(const struct option *row, void *settings, struct arena *arena)
{
	struct error e;

	if (!row->initial)
		return;
	enum option_verdict verdict =
		option_store(row, settings, row->name, row->initial, arena, &e);
	assert(verdict == OPTION_STORED || arena->failed);
	(void)verdict;
}

void option_clear_list(const struct option *row, void *settings)
{
	assert(row->type == OPT_LIST);
	*(struct option_list *)((char *)settings + row->offset) = (struct option_list){ 0 };
}

const char *option_word(const struct option *row)
{
	switch (row->type) {
	case OPT_INT:
		return row->unit ? row->unit : "NUMBER";
	case OPT_SIZE:
		return "SIZE";
	case OPT_SECONDS:
	case OPT_SPAN:
		return "SECONDS";
	case OPT_STRING:
	case OPT_LIST:
		return row->unit ? row->unit : "VALUE";
	case OPT_CHOICE:
		return "CHOICE";
	case OPT_FLAG:
		break;
	}
	return "";
}
