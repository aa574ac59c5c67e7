/* SPDX-License-Identifier: MIT */
/* condition.c: what route-if and route-if-not ask: "name:subject" or "name:subject;operand". */
#include "route.h"

#include <arpa/inet.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct condition_kind {
	const char *names[5];
	bool has_operand;
	bool (*holds)(struct slice subject, struct slice operand);
};

/* ---- files ---- */

static bool look_at(struct slice path, struct stat *s)
{
	char text[PATH_MAX];

	if (path.n == 0 || path.n >= sizeof text || memchr(path.p, 0, path.n))
		return false;
	memcpy(text, path.p, path.n);
	text[path.n] = 0;
	return lstat(text, s) == 0 && (!S_ISLNK(s->st_mode) || stat(text, s) == 0);
}

static bool exists(struct slice path, struct slice operand)
{
	struct stat s;

	(void)operand;
	return look_at(path, &s);
}

static bool is_file(struct slice path, struct slice operand)
{
	struct stat s;

	(void)operand;
	return look_at(path, &s) && S_ISREG(s.st_mode);
}

static bool is_folder(struct slice path, struct slice operand)
{
	struct stat s;

	(void)operand;
	return look_at(path, &s) && S_ISDIR(s.st_mode);
}

static bool is_executable(struct slice path, struct slice operand)
{
	struct stat s;

	(void)operand;
	return look_at(path, &s) && S_ISREG(s.st_mode) && (s.st_mode & 0111);
}

/* ---- text ---- */

static bool is_empty(struct slice subject, struct slice operand)
{
	(void)operand;
	return subject.n == 0;
}

static bool starts_with(struct slice subject, struct slice start)
{
	return subject.n >= start.n && !memcmp(subject.p, start.p, start.n);
}

static bool ends_with(struct slice subject, struct slice end)
{
	return subject.n >= end.n && !memcmp(subject.p + subject.n - end.n, end.p, end.n);
}

static bool contains(struct slice subject, struct slice part)
{
	return memmem(subject.p, subject.n, part.p, part.n);
}

/* ---- numbers ---- */

static long long number(struct slice s)
{
	char digits[24] = "";

	memcpy(digits, s.p, s.n < sizeof digits ? s.n : sizeof digits - 1);
	return strtoll(digits, NULL, 10);
}

static bool is_higher(struct slice a, struct slice b)
{
	return number(a) > number(b);
}

static bool is_lower(struct slice a, struct slice b)
{
	return number(a) < number(b);
}

static bool is_higher_or_equal(struct slice a, struct slice b)
{
	return number(a) >= number(b);
}

static bool is_lower_or_equal(struct slice a, struct slice b)
{
	return number(a) <= number(b);
}

/* ---- addresses ---- */

static bool read_address(int family, struct slice s, unsigned char bytes[16])
{
	char text[INET6_ADDRSTRLEN];

	if (s.n == 0 || s.n >= sizeof text)
		return false;
	memcpy(text, s.p, s.n);
	text[s.n] = 0;
	return inet_pton(family, text, bytes) == 1;
}

static bool is_in(int family, struct slice address, struct slice network)
{
	const char *slash = memchr(network.p, '/', network.n);
	size_t n = slash ? (size_t)(slash - network.p) : network.n;
	long long most = family == AF_INET ? 32 : 128;
	long long bits = slash ? number((struct slice){ slash + 1, network.n - n - 1 }) : most;
	unsigned char a[16], b[16];

	if (bits < 0 || bits > most || !read_address(family, address, a) ||
	    !read_address(family, (struct slice){ network.p, n }, b))
		return false;
	size_t whole = (size_t)bits / 8;

	return !memcmp(a, b, whole) &&
	       (bits % 8 == 0 || (a[whole] ^ b[whole]) >> (8 - bits % 8) == 0);
}

static bool is_in_ipv4(struct slice address, struct slice network)
{
	return is_in(AF_INET, address, network);
}

static bool is_in_ipv6(struct slice address, struct slice network)
{
	return is_in(AF_INET6, address, network);
}

/* holds NULL: the operand is an expression. */
static const struct condition_kind kinds[] = {
	{ { "exists" }, false, exists },
	{ { "isfile" }, false, is_file },
	{ { "isdir", "isdirectory" }, false, is_folder },
	{ { "isexec" }, false, is_executable },
	{ { "empty" }, false, is_empty },
	{ { "eq", "equal", "isequal", "==" }, true, uwsgi_same },
	{ { "startswith" }, true, starts_with },
	{ { "endswith" }, true, ends_with },
	{ { "contains", "contain" }, true, contains },
	{ { "regexp", "re" }, true, NULL },
	{ { "ishigher", "gt", ">" }, true, is_higher },
	{ { "islower", "lt", "<" }, true, is_lower },
	{ { "ishigherequal", "ge", "gte", ">=" }, true, is_higher_or_equal },
	{ { "islowerequal", "le", "lte", "<=" }, true, is_lower_or_equal },
	{ { "ipv4in" }, true, is_in_ipv4 },
	{ { "ipv6in" }, true, is_in_ipv6 },
};

static const struct condition_kind *find_kind(struct slice name)
{
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		for (size_t j = 0; kinds[i].names[j]; j++)
			if (uwsgi_same(name, (struct slice){ kinds[i].names[j],
							     strlen(kinds[i].names[j]) }))
				return &kinds[i];
	return NULL;
}

static const char *nearest_kind(struct slice name)
{
	const char *names[4 * sizeof kinds / sizeof *kinds + 1];
	size_t count = 0;

	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		for (size_t j = 0; kinds[i].names[j]; j++)
			names[count++] = kinds[i].names[j];
	return uwsgi_nearest(name, names, count);
}

static int parse_operand(struct condition *c, struct slice text, struct error *e)
{
	if (c->kind->holds)
		return value_parse(&c->operand, text, e);
	char *expression = strndup(text.p, text.n);

	if (!expression)
		return uwsgi_error_set(e, "out of memory");
	c->pattern = uwsgi_pattern_new(expression, e);
	free(expression);
	return c->pattern ? 0 : -1;
}

int condition_parse(struct condition *c, struct slice text, struct error *e)
{
	const char *colon = memchr(text.p, ':', text.n);
	struct slice name = { text.p, colon ? (size_t)(colon - text.p) : text.n };

	*c = (struct condition){ .kind = find_kind(name) };
	if (!c->kind) {
		const char *nearest = nearest_kind(name);

		return uwsgi_error_set(e, "there is no condition %.*s%s%s%s", (int)name.n, name.p,
				       nearest ? "; did you mean \"" : "", nearest ? nearest : "",
				       nearest ? "\"?" : "");
	}
	if (!colon)
		return uwsgi_error_set(e, "expected %.*s:TEXT%s", (int)name.n, name.p,
				       c->kind->has_operand ? ";TEXT" : "");
	struct slice subject = { colon + 1, text.n - name.n - 1 };
	const char *semicolon = c->kind->has_operand ? memchr(subject.p, ';', subject.n) : NULL;

	if (c->kind->has_operand && !semicolon)
		return uwsgi_error_set(e, "expected %.*s:TEXT;TEXT", (int)name.n, name.p);
	size_t n = semicolon ? (size_t)(semicolon - subject.p) : subject.n;

	if (semicolon && parse_operand(c, (struct slice){ semicolon + 1, subject.n - n - 1 }, e))
		return -1;
	subject.n = n;
	return value_parse(&c->subject, subject, e);
}

void condition_fini(struct condition *c)
{
	value_fini(&c->subject);
	value_fini(&c->operand);
	uwsgi_pattern_free(c->pattern);
	c->pattern = NULL;
}

bool condition_holds(const struct condition *c, struct visit *v)
{
	struct slice subject = value_of(&c->subject, v);

	if (c->pattern)
		return uwsgi_pattern_groups(c->pattern, subject, v->groups, GROUPS) == 1;
	return c->kind->holds(subject, value_of(&c->operand, v));
}
