/* SPDX-License-Identifier: MIT */
/* http_fuzz.c: a buffer as all that comes on a connection of the HTTP protocol; no variable of a
 * request that is let through may surprise an application.  For libFuzzer; `make fuzz` builds and
 * runs it. */
#include "portions.h"

static bool is(struct slice s, const char *text)
{
	return s.n == strlen(text) && !memcmp(s.p, text, s.n);
}

static bool has_control(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if (((unsigned char)s.p[i] < 0x20 && s.p[i] != '\t') || s.p[i] == 0x7f)
			return true;
	return false;
}

static bool is_name(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] <= 0x20 || (unsigned char)s.p[i] >= 0x7f ||
		    s.p[i] == '-' || s.p[i] == '=' || (s.p[i] >= 'a' && s.p[i] <= 'z'))
			return false;
	return s.n > 0;
}

static void check_path(struct slice path)
{
	feed_check(!path.n || *path.p == '/' || is(path, "*"), "a path begins with a slash");
	feed_check(!memchr(path.p, 0, path.n), "a path holds no NUL");
	feed_check(!memmem(path.p, path.n, "/../", 4) && !memmem(path.p, path.n, "/./", 3) &&
			   (path.n < 3 || memcmp(path.p + path.n - 3, "/..", 3)),
		   "a path holds no dot segments");
}

static void check(const struct request *rq)
{
	size_t count;
	const struct var *vars = uwsgi_request_vars(rq, &count);

	for (size_t i = 0; i < count; i++) {
		const struct var *v = &vars[i];

		feed_check(is_name(v->name), "the name of a variable is one");
		feed_check(!is(v->name, "HTTP_PROXY"), "HTTP_PROXY is the environment's");
		for (size_t k = 0; k < i; k++)
			feed_check(v->name.n != vars[k].name.n ||
					   memcmp(v->name.p, vars[k].name.p, v->name.n) != 0,
				   "a variable is said once");
		if (is(v->name, "PATH_INFO"))
			check_path(v->value);
		else
			feed_check(!has_control(v->value), "a value has no control characters");
	}
	feed_check(uwsgi_request_find(rq, SLICE("REQUEST_METHOD")).n > 0, "there is a method");
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	const struct portions how = { .protocol = uwsgi_plugin.protocol,
				      .check = check,
				      .may_differ = true };

	portions_compare(&how, bytes, n);
	return 0;
}
