/* SPDX-License-Identifier: MIT */
/* answer.c: says a file, or a part of it, or that the client has it already (RFC 9110). */
#include "static.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void say(struct response *rs, const char *name, const char *value)
{
	uwsgi_response_header(rs, (struct slice){ name, strlen(name) },
			      (struct slice){ value, strlen(value) });
}

static void say_length(struct response *rs, int64_t length)
{
	char text[24];

	snprintf(text, sizeof text, "%" PRId64, length);
	say(rs, "Content-Length", text);
}

/* ---- Content-Type ---- */

/* HTML and XML say in themselves how they are written; of other text nobody could tell. */
static bool takes_charset(struct slice type)
{
	static const char *const own[] = { "text/html", "text/xml" };

	if (type.n < 5 || memcmp(type.p, "text/", 5) || memchr(type.p, ';', type.n))
		return false;
	for (size_t i = 0; i < sizeof own / sizeof *own; i++)
		if (type.n == strlen(own[i]) && !memcmp(type.p, own[i], type.n))
			return false;
	return true;
}

/* Empty: the type is not known. */
static void write_type(const struct lane *lane, struct slice name, char *text, size_t size)
{
	struct slice type = mime_type(lane->mime, name);

	snprintf(text, size, "%.*s%s", (int)type.n, type.p ? type.p : "",
		 takes_charset(type) ? "; charset=utf-8" : "");
}

/* ---- Expires ---- */

static bool fits(const struct expires_rule *rule, const struct lane *lane, struct request *rq,
		 struct slice name)
{
	struct slice type;

	switch (rule->key) {
	case KEY_FILE:
		return uwsgi_pattern_matches(rule->pattern, name) == 1;
	case KEY_PATH_INFO:
		return uwsgi_pattern_matches(rule->pattern,
					     uwsgi_request_find(rq, SLICE("PATH_INFO"))) == 1;
	case KEY_URI:
		return uwsgi_pattern_matches(rule->pattern,
					     uwsgi_request_find(rq, SLICE("REQUEST_URI"))) == 1;
	default:
		type = mime_type(lane->mime, name);
		return type.n == rule->type.n && !memcmp(type.p, rule->type.p, type.n);
	}
}

/* The first rule that fits. */
static void say_expires(struct response *rs, const struct lane *lane, struct request *rq,
			const struct found *found)
{
	time_t now = time(NULL);

	for (size_t i = 0; i < lane->rules.expires_count; i++) {
		const struct expires_rule *rule = &lane->rules.expires[i];

		if (!fits(rule, lane, rq, found->name))
			continue;
		int64_t at = (rule->from_mtime ? found->file->changed.tv_sec : now) + rule->seconds;
		char date[UWSGI_DATE_SIZE], age[40];

		snprintf(age, sizeof age, "max-age=%" PRId64, at > now ? at - now : 0);
		uwsgi_http_date(at, date);
		say(rs, "Expires", date);
		say(rs, "Cache-Control", age);
		return;
	}
}

/* ---- what all answers with or about a file have ---- */

static void say_validators(struct response *rs, const struct lane *lane, struct request *rq,
			   const struct found *found)
{
	say(rs, "ETag", found->file->etag);
	say(rs, "Last-Modified", found->file->date);
	if (found->varies)
		say(rs, "Vary", "Accept-Encoding");
	say_expires(rs, lane, rq, found);
}

static void say_content(struct response *rs, const struct lane *lane, const struct found *found,
			const char *type)
{
	if (*type)
		say(rs, "Content-Type", type);
	if (found->encoding.p)
		uwsgi_response_header(rs, SLICE("Content-Encoding"), found->encoding);
	if (lane->rules.settings->ranges)
		say(rs, "Accept-Ranges", "bytes");
}

static bool is_get(const struct request *rq)
{
	return uwsgi_request_find(rq, SLICE("REQUEST_METHOD")).n == 3;
}

static void send_range(struct response *rs, struct file *file, const struct range *r)
{
	if (r->length > 0)
		uwsgi_response_file(rs, file->fd, r->at, r->length, file_lend(file));
}

/* ---- parts ---- */

static void answer_unsatisfiable(struct response *rs, const struct file *file)
{
	char text[40];

	snprintf(text, sizeof text, "bytes */%" PRId64, file->size);
	uwsgi_response_start(rs, SLICE("416 Range Not Satisfiable"));
	say(rs, "Content-Range", text);
	say_length(rs, 0);
	uwsgi_response_end(rs);
}

static void write_content_range(char *text, size_t size, const struct range *r, int64_t whole)
{
	snprintf(text, size, "bytes %" PRId64 "-%" PRId64 "/%" PRId64, r->at, r->at + r->length - 1,
		 whole);
}

/* What stands before a part of several (RFC 9110 section 14.6). */
static size_t write_part_head(char *text, size_t size, uint64_t boundary, const char *type,
			      const struct range *r, int64_t whole)
{
	char range[80];

	write_content_range(range, sizeof range, r, whole);
	return (size_t)snprintf(text, size,
				"\r\n--%016" PRIx64 "\r\n%s%s%sContent-Range: %s\r\n\r\n", boundary,
				*type ? "Content-Type: " : "", type, *type ? "\r\n" : "", range);
}

static void answer_with_parts(struct lane *lane, struct request *rq, struct response *rs,
			      const struct found *found, const char *type,
			      const struct range *ranges, int count)
{
	struct file *file = found->file;
	uint64_t boundary = lane->boundary++;
	char text[512], end[32];
	size_t n = (size_t)snprintf(end, sizeof end, "\r\n--%016" PRIx64 "--\r\n", boundary);
	int64_t length = (int64_t)n;

	for (int i = 0; i < count; i++)
		length += (int64_t)write_part_head(text, sizeof text, boundary, type, &ranges[i],
						   file->size) +
			  ranges[i].length;
	snprintf(text, sizeof text, "multipart/byteranges; boundary=%016" PRIx64, boundary);
	say_content(rs, lane, found, text);
	say_validators(rs, lane, rq, found);
	say_length(rs, length);
	for (int i = 0; i < count; i++) {
		size_t head =
			write_part_head(text, sizeof text, boundary, type, &ranges[i], file->size);

		uwsgi_response_body(rs, (struct slice){ text, head }, NULL);
		send_range(rs, file, &ranges[i]);
	}
	uwsgi_response_body(rs, (struct slice){ end, n }, NULL);
	uwsgi_response_end(rs);
}

static void answer_with_ranges(struct lane *lane, struct request *rq, struct response *rs,
			       const struct found *found, const char *type,
			       const struct range *ranges, int count)
{
	char range[80];

	uwsgi_response_start(rs, SLICE("206 Partial Content"));
	if (count > 1) {
		answer_with_parts(lane, rq, rs, found, type, ranges, count);
		return;
	}
	write_content_range(range, sizeof range, ranges, found->file->size);
	say_content(rs, lane, found, type);
	say_validators(rs, lane, rq, found);
	say(rs, "Content-Range", range);
	say_length(rs, ranges->length);
	send_range(rs, found->file, ranges);
	uwsgi_response_end(rs);
}

static void answer_with_all(struct lane *lane, struct request *rq, struct response *rs,
			    const struct found *found, const char *type)
{
	const struct range all = { 0, found->file->size };

	uwsgi_response_start(rs, SLICE("200 OK"));
	say_content(rs, lane, found, type);
	say_validators(rs, lane, rq, found);
	say_length(rs, all.length);
	if (is_get(rq))
		send_range(rs, found->file, &all);
	uwsgi_response_end(rs);
}

/* How many ranges the answer has; 0: they cannot be satisfied; -1: it is the whole file. */
static int wanted_ranges(const struct lane *lane, struct request *rq, const struct conditions *c,
			 const struct validators *v, int64_t size, struct range *ranges)
{
	struct slice field = uwsgi_request_find(rq, SLICE("HTTP_RANGE"));

	if (!field.p || !is_get(rq) || !lane->rules.settings->ranges ||
	    !conditions_allow_range(c, v, time(NULL)))
		return -1;
	return ranges_parse(field, size, ranges);
}

/* ---- the web server sends it ---- */

/* nginx and lighttpd decode it, Apache's module as Debian has it does not: for X-Sendfile no more is
 * encoded than must be, so that Apache finds all names but those with a percent sign. */
static bool is_plain(unsigned char c, enum serve_mode mode)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
				    "/-._~!$&'()*+,;=:@";

	if (mode == SERVE_SENDFILE)
		return c >= ' ' && c != 0x7f && c != '%';
	return c && strchr(plain, c);
}

static size_t encode_path(const char *path, size_t n, enum serve_mode mode, char *to, size_t size)
{
	size_t length = 0;

	for (size_t i = 0; i < n; i++) {
		if (length + 4 > size)
			return 0;
		if (is_plain((unsigned char)path[i], mode))
			to[length++] = path[i];
		else
			length +=
				(size_t)snprintf(to + length, 4, "%%%02X", (unsigned char)path[i]);
	}
	to[length] = 0;
	return length;
}

/* False: its name is too long for that. */
static bool answer_with_name(struct response *rs, const struct lane *lane,
			     const struct found *found, const char *type)
{
	enum serve_mode mode = lane->rules.serve_mode;
	char held[40], path[PATH_MAX], name[4096];

	snprintf(held, sizeof held, "/proc/self/fd/%d", found->file->fd);
	ssize_t n = readlink(held, path, sizeof path);
	if (n <= 0 || n == sizeof path || !encode_path(path, (size_t)n, mode, name, sizeof name))
		return false;
	uwsgi_response_start(rs, SLICE("200 OK"));
	if (*type)
		say(rs, "Content-Type", type);
	if (found->encoding.p)
		uwsgi_response_header(rs, SLICE("Content-Encoding"), found->encoding);
	say(rs, mode == SERVE_SENDFILE ? "X-Sendfile" : "X-Accel-Redirect", name);
	say(rs, "Last-Modified", found->file->date);
	uwsgi_response_end(rs);
	return true;
}

/* ---- the answer ---- */

static void answer_without(struct lane *lane, struct request *rq, struct response *rs,
			   const struct found *found, enum condition condition)
{
	if (condition == NOT_MODIFIED) {
		uwsgi_response_start(rs, SLICE("304 Not Modified"));
		say_validators(rs, lane, rq, found);
	} else {
		uwsgi_response_start(rs, SLICE("412 Precondition Failed"));
		say_length(rs, 0);
	}
	uwsgi_response_end(rs);
}

void answer_with(struct lane *lane, struct request *rq, struct response *rs,
		 const struct found *found)
{
	const struct file *file = found->file;
	const struct validators v = { { file->etag, file->etag_length }, file->changed.tv_sec };
	const struct conditions c = {
		.if_match = uwsgi_request_find(rq, SLICE("HTTP_IF_MATCH")),
		.if_unmodified_since = uwsgi_request_find(rq, SLICE("HTTP_IF_UNMODIFIED_SINCE")),
		.if_none_match = uwsgi_request_find(rq, SLICE("HTTP_IF_NONE_MATCH")),
		.if_modified_since = uwsgi_request_find(rq, SLICE("HTTP_IF_MODIFIED_SINCE")),
		.if_range = uwsgi_request_find(rq, SLICE("HTTP_IF_RANGE")),
	};
	struct range ranges[RANGES_MAX];
	char type[200];

	write_type(lane, found->name, type, sizeof type);
	if (lane->rules.serve_mode != SERVE_SEND && answer_with_name(rs, lane, found, type))
		return;
	enum condition condition = conditions_judge(&c, &v);
	if (condition != CONDITION_TRUE) {
		answer_without(lane, rq, rs, found, condition);
		return;
	}
	int count = wanted_ranges(lane, rq, &c, &v, file->size, ranges);
	if (count == 0)
		answer_unsatisfiable(rs, file);
	else if (count > 0)
		answer_with_ranges(lane, rq, rs, found, type, ranges, count);
	else
		answer_with_all(lane, rq, rs, found, type);
}

/* "//host" or "/\host" at the beginning would lead to another site. */
bool answer_with_slash(struct request *rq, struct response *rs)
{
	struct slice uri = uwsgi_request_find(rq, SLICE("REQUEST_URI"));
	char to[4096];

	if (uri.n == 0 || *uri.p != '/' || uri.n + 2 > sizeof to)
		return false;
	while (uri.n > 0 && (*uri.p == '/' || *uri.p == '\\')) {
		uri.p++;
		uri.n--;
	}
	for (size_t i = 0; i < uri.n; i++)
		if (uri.p[i] <= ' ' || uri.p[i] > '~')
			return false;
	const char *query = memchr(uri.p, '?', uri.n);
	int path = query ? (int)(query - uri.p) : (int)uri.n;
	int n = snprintf(to, sizeof to, "/%.*s/%.*s", path, uri.p, (int)uri.n - path, uri.p + path);

	if (path == 0 || n >= (int)sizeof to)
		return false;
	uwsgi_response_start(rs, SLICE("301 Moved Permanently"));
	say(rs, "Location", to);
	say_length(rs, 0);
	uwsgi_response_end(rs);
	return true;
}
