/* SPDX-License-Identifier: MIT */
/* value.c: text with $1, ${VARIABLE} and ${function[argument]} in it, taken apart once.  What it
 * stands for is made in the request's own memory. */
#include "route.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

enum { PARTS_MAX = 32 };

typedef struct slice (*function)(struct visit *, struct slice argument);

struct part {
	enum { PART_TEXT, PART_GROUP, PART_VARIABLE, PART_FUNCTION } is;
	struct slice text; /* or the name, or the argument */
	size_t group;
	function call;
};

/* ---- functions ---- */

/* Of "a=1&b=2" or "a=1; b=2" what stands behind the name. */
static struct slice find_pair(struct slice list, char between, struct slice name)
{
	while (list.n > 0) {
		const char *end = memchr(list.p, between, list.n);
		size_t n = end ? (size_t)(end - list.p) : list.n;
		struct slice one = { list.p, n };

		list.p += n + (end != NULL);
		list.n -= n + (end != NULL);
		while (one.n > 0 && *one.p == ' ') {
			one.p++;
			one.n--;
		}
		if (one.n > name.n && one.p[name.n] == '=' && !memcmp(one.p, name.p, name.n))
			return (struct slice){ one.p + name.n + 1, one.n - name.n - 1 };
	}
	return SLICE("");
}

static struct slice of_cookie(struct visit *v, struct slice name)
{
	return find_pair(uwsgi_request_find(v->rq, SLICE("HTTP_COOKIE")), ';', name);
}

static struct slice of_query(struct visit *v, struct slice name)
{
	return find_pair(uwsgi_request_find(v->rq, SLICE("QUERY_STRING")), '&', name);
}

static struct slice print_number(struct visit *v, long long number)
{
	char digits[24];
	int n = snprintf(digits, sizeof digits, "%lld", number);

	return visit_copy(v, (struct slice){ digits, (size_t)n });
}

int64_t route_now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * 1000000LL + now.tv_nsec / 1000;
}

/* Another one each time (RFC 9562 section 5.4). */
static struct slice make_uuid(struct visit *v)
{
	unsigned char b[16];
	char text[40];

	if (getrandom(b, sizeof b, 0) != sizeof b)
		return SLICE("");
	b[6] = (unsigned char)((b[6] & 0x0f) | 0x40);
	b[8] = (unsigned char)((b[8] & 0x3f) | 0x80);
	int n = snprintf(text, sizeof text,
			 "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
			 b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11],
			 b[12], b[13], b[14], b[15]);

	return visit_copy(v, (struct slice){ text, (size_t)n });
}

static struct slice of_server(struct visit *v, struct slice name)
{
	if (uwsgi_same(name, SLICE("wid")))
		return print_number(v, uwsgi_lane_worker(v->lane));
	if (uwsgi_same(name, SLICE("lq")))
		return print_number(v, uwsgi_lane_backlog(v->lane));
	if (uwsgi_same(name, SLICE("pid")))
		return print_number(v, getpid());
	if (uwsgi_same(name, SLICE("status")))
		return print_number(v, v->status);
	if (uwsgi_same(name, SLICE("sor")))
		return print_number(v, v->began_us);
	if (uwsgi_same(name, SLICE("rtime")))
		return print_number(v, route_now_us() - v->began_us);
	return make_uuid(v);
}

static struct slice of_metric(struct visit *v, struct slice name)
{
	return print_number(v, metrics_value(v, name));
}

static struct slice of_time(struct visit *v, struct slice unit)
{
	long long us = route_now_us();

	return print_number(v, uwsgi_same(unit, SLICE("unix")) ? us / 1000000 : us);
}

static struct slice of_http_time(struct visit *v, struct slice seconds)
{
	char text[UWSGI_DATE_SIZE], digits[20] = "";

	memcpy(digits, seconds.p, seconds.n < sizeof digits ? seconds.n : sizeof digits - 1);
	uwsgi_http_date(time(NULL) + strtol(digits, NULL, 10), text);
	return visit_copy(v, (struct slice){ text, UWSGI_DATE_SIZE - 1 });
}

static struct slice change_letters(struct visit *v, struct slice name, char from, char to)
{
	struct slice s = uwsgi_request_find(v->rq, name);
	char *text = s.n ? uwsgi_request_alloc(v->rq, s.n) : NULL;

	if (!text)
		return SLICE("");
	for (size_t i = 0; i < s.n; i++) {
		bool changes = s.p[i] >= from && s.p[i] < from + 26;

		text[i] = changes ? (char)(s.p[i] - from + to) : s.p[i];
	}
	return (struct slice){ text, s.n };
}

static struct slice of_lower(struct visit *v, struct slice name)
{
	return change_letters(v, name, 'A', 'a');
}

static struct slice of_upper(struct visit *v, struct slice name)
{
	return change_letters(v, name, 'a', 'A');
}

static struct slice of_hex(struct visit *v, struct slice name)
{
	static const char digits[] = "0123456789abcdef";
	struct slice s = uwsgi_request_find(v->rq, name);
	char *text = s.n ? uwsgi_request_alloc(v->rq, s.n * 2) : NULL;

	if (!text)
		return SLICE("");
	for (size_t i = 0; i < s.n; i++) {
		text[2 * i] = digits[(unsigned char)s.p[i] >> 4];
		text[2 * i + 1] = digits[s.p[i] & 15];
	}
	return (struct slice){ text, s.n * 2 };
}

/* RFC 4648 section 4. */
static struct slice of_base64(struct visit *v, struct slice name)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	struct slice s = uwsgi_request_find(v->rq, name);
	size_t n = (s.n + 2) / 3 * 4;
	char *text = s.n ? uwsgi_request_alloc(v->rq, n) : NULL;

	if (!text)
		return SLICE("");
	for (size_t i = 0, at = 0; i < s.n; i += 3, at += 4) {
		unsigned bits = (unsigned)(unsigned char)s.p[i] << 16;

		if (i + 1 < s.n)
			bits |= (unsigned)(unsigned char)s.p[i + 1] << 8;
		if (i + 2 < s.n)
			bits |= (unsigned char)s.p[i + 2];
		text[at] = digits[bits >> 18];
		text[at + 1] = digits[bits >> 12 & 63];
		text[at + 2] = i + 1 < s.n ? digits[bits >> 6 & 63] : '=';
		text[at + 3] = i + 2 < s.n ? digits[bits & 63] : '=';
	}
	return (struct slice){ text, n };
}

static const struct {
	struct slice name;
	function call;
	const char *arguments; /* "": any; else these, each between two blanks */
} functions[] = {
	{ SLICE("cookie"), of_cookie, "" },
	{ SLICE("qs"), of_query, "" },
	{ SLICE("uwsgi"), of_server, " wid pid uuid status sor rtime lq " },
	{ SLICE("metric"), of_metric, "" },
	{ SLICE("time"), of_time, " unix micros " },
	{ SLICE("httptime"), of_http_time, "" },
	{ SLICE("lower"), of_lower, "" },
	{ SLICE("upper"), of_upper, "" },
	{ SLICE("hex"), of_hex, "" },
	{ SLICE("base64"), of_base64, "" },
};

/* Those of uWSGI that are not here, and what there is. */
static const struct {
	struct slice name;
	const char *instead;
} missing[] = {
	{ SLICE("mime"), "files of static-map and of the action static have their media type" },
	{ SLICE("math"), "conditions such as ishigher compare numbers" },
	{ SLICE("geoip"), "nginx's geoip module can pass it on as a variable" },
};

static bool is_one_of(const char *words, struct slice word)
{
	for (const char *at = words; (at = strchr(at, ' ')) && at[1]; at++)
		if (uwsgi_same((struct slice){ at + 1, strcspn(at + 1, " ") }, word))
			return true;
	return !*words;
}

/* ---- taking apart ---- */

static int parse_name(struct part *part, struct slice name, struct error *e)
{
	const char *bracket = memchr(name.p, '[', name.n);

	if (!bracket || name.p[name.n - 1] != ']') {
		*part = (struct part){ .is = PART_VARIABLE, .text = name };
		return 0;
	}
	struct slice called = { name.p, (size_t)(bracket - name.p) };
	struct slice argument = { bracket + 1, name.n - called.n - 2 };

	for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
		if (!uwsgi_same(functions[i].name, called))
			continue;
		if (!is_one_of(functions[i].arguments, argument))
			return uwsgi_error_set(e, "${%.*s[…]} is one of:%s", (int)called.n,
					       called.p, functions[i].arguments);
		*part = (struct part){ .is = PART_FUNCTION,
				       .text = argument,
				       .call = functions[i].call };
		return 0;
	}
	for (size_t i = 0; i < sizeof missing / sizeof *missing; i++)
		if (uwsgi_same(missing[i].name, called))
			return uwsgi_error_set(e, "${%.*s[…]} of uWSGI is not supported; %s",
					       (int)called.n, called.p, missing[i].instead);
	return uwsgi_error_set(e,
			       "${%.*s}: there is cookie, qs, uwsgi, metric, time, httptime, "
			       "lower, upper, hex and base64",
			       (int)name.n, name.p);
}

/* The next part of the text, *n bytes of it; -1 with the reason. */
static int parse_part(struct part *part, struct slice text, size_t *n, struct error *e)
{
	if (text.n > 1 && text.p[0] == '$' && text.p[1] >= '0' && text.p[1] <= '9') {
		*part = (struct part){ .is = PART_GROUP, .group = (size_t)(text.p[1] - '0') };
		*n = 2;
		return 0;
	}
	if (text.n > 1 && text.p[0] == '$' && text.p[1] == '{') {
		const char *end = memchr(text.p, '}', text.n);

		if (!end || end == text.p + 2)
			return uwsgi_error_set(e, "${ without a name and }");
		*n = (size_t)(end - text.p) + 1;
		return parse_name(part, (struct slice){ text.p + 2, *n - 3 }, e);
	}
	const char *next = memchr(text.p + 1, '$', text.n - 1);

	*n = next ? (size_t)(next - text.p) : text.n;
	*part = (struct part){ .is = PART_TEXT, .text = { text.p, *n } };
	return 0;
}

int value_parse(struct value *value, struct slice text, struct error *e)
{
	struct part parts[PARTS_MAX];
	size_t count = 0;

	*value = (struct value){ 0 };
	for (size_t n = 0; text.n > 0; text.p += n, text.n -= n) {
		if (count == PARTS_MAX)
			return uwsgi_error_set(e, "more than %d variables in one value",
					       PARTS_MAX / 2);
		if (parse_part(&parts[count++], text, &n, e))
			return -1;
	}
	if (count == 0)
		return 0;
	value->parts = malloc(count * sizeof *parts);
	if (!value->parts)
		return uwsgi_error_set(e, "out of memory");
	memcpy(value->parts, parts, count * sizeof *parts);
	value->count = count;
	return 0;
}

void value_fini(struct value *value)
{
	free(value->parts);
	*value = (struct value){ 0 };
}

bool value_is_constant(const struct value *value)
{
	for (size_t i = 0; i < value->count; i++)
		if (value->parts[i].is != PART_TEXT)
			return false;
	return true;
}

/* ---- what it stands for ---- */

static struct slice part_of(const struct part *part, struct visit *v)
{
	switch (part->is) {
	case PART_GROUP:
		return v->groups[part->group];
	case PART_VARIABLE:
		return uwsgi_request_find(v->rq, part->text);
	case PART_FUNCTION:
		return part->call(v, part->text);
	case PART_TEXT:
		break;
	}
	return part->text;
}

struct slice value_of(const struct value *value, struct visit *v)
{
	struct slice found[PARTS_MAX], whole = { NULL, 0 };
	char *text;

	for (size_t i = 0; i < value->count; i++) {
		found[i] = part_of(&value->parts[i], v);
		whole.n += found[i].n;
	}
	if (value->count == 1 && found[0].p)
		return found[0];
	text = whole.n ? uwsgi_request_alloc(v->rq, whole.n) : NULL;
	if (!text)
		return SLICE("");
	whole.p = text;
	for (size_t i = 0; i < value->count; i++) {
		if (found[i].n)
			memcpy(text, found[i].p, found[i].n);
		text += found[i].n;
	}
	return whole;
}
