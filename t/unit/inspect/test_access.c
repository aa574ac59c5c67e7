/* SPDX-License-Identifier: MIT */
/* test_access.c: who may ask inspect, by the heads of requests that browsers, scrapers and strangers'
 * pages send. */
#include "unit.h"

#include "inspect.h"

#include "http/head.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

static const char *const names[] = { "inspect.example.com" };
static const struct option_list hosts = { names, 1 };

static void test_hosts(void **unused)
{
	static const struct {
		const char *host;
		bool allowed;
	} all[] = {
		{ "127.0.0.1", true },
		{ "10.1.2.3", true },
		{ "[::1]", true },
		{ "[fe80::1]", true },
		{ "[::ffff:127.0.0.1]", true },
		{ "localhost", true },
		{ "LocalHost", true },
		{ "inspect.example.com", true },
		{ "Inspect.Example.COM", true },
		/* Names that a stranger can point at 127.0.0.1. */
		{ "", false },
		{ "evil.example", false },
		{ "localhost.evil.example", false },
		{ "127.0.0.1.evil.example", false },
		{ "127.0.0.1.nip.io", false },
		{ "evil.localhost", false },
		{ "localhost.", false },
		{ "inspect.example.com.", false },
		{ "xinspect.example.com", false },
		{ "inspect.example.com.evil.example", false },
		{ "inspect.example.co", false },
		/* What some take for addresses. */
		{ "127.1", false },
		{ "0x7f.0.0.1", false },
		{ "2130706433", false },
		{ "0177.0.0.1", false },
		{ "127.0.0.01", false },
		{ "127.0.0.256", false },
		{ "127.0.0.1 ", false },
		{ "::1", false },
		{ "[::1", false },
		{ "[]", false },
		{ "[127.0.0.1]", false },
		{ "[fe80::1%25eth0]", false },
		{ "[::1]x", false },
		{ "%6cocalhost", false },
	};

	(void)unused;
	for (size_t i = 0; i < COUNT(all); i++) {
		struct slice host = { all[i].host, strlen(all[i].host) };

		if (access_host(host, &hosts) != all[i].allowed)
			print_error("Host %s\n", all[i].host);
		assert_int_equal(access_host(host, &hosts), all[i].allowed);
	}
	assert_false(access_host((struct slice){ "localhost\0x", 11 }, &hosts));
}

static void test_origins(void **unused)
{
	static const struct {
		const char *origin, *host;
		bool same;
	} all[] = {
		{ "http://127.0.0.1:9090", "127.0.0.1:9090", true },
		{ "https://inspect.example.com", "inspect.example.com", true },
		{ "http://LOCALHOST:9090", "localhost:9090", true },
		{ "http://[::1]:9090", "[::1]:9090", true },
		{ "null", "127.0.0.1:9090", false },
		{ "", "127.0.0.1:9090", false },
		{ "http://", "", false },
		{ "127.0.0.1:9090", "127.0.0.1:9090", false },
		{ "ftp://127.0.0.1:9090", "127.0.0.1:9090", false },
		{ "HTTP://127.0.0.1:9090", "127.0.0.1:9090", false },
		{ "http://127.0.0.1:3000", "127.0.0.1:9090", false },
		{ "http://127.0.0.1", "127.0.0.1:9090", false },
		{ "http://127.0.0.1:90900", "127.0.0.1:9090", false },
		{ "http://127.0.0.1:9090/", "127.0.0.1:9090", false },
		{ "http://127.0.0.1:9090.evil.example", "127.0.0.1:9090", false },
		{ "http://user@127.0.0.1:9090", "127.0.0.1:9090", false },
		{ "http://localhost:9090", "127.0.0.1:9090", false },
		{ "http://evil.example", "127.0.0.1:9090", false },
		{ "http://127.0.0.1:9090, http://evil.example", "127.0.0.1:9090", false },
	};

	(void)unused;
	for (size_t i = 0; i < COUNT(all); i++) {
		struct slice origin = { all[i].origin, strlen(all[i].origin) };
		struct slice host = { all[i].host, strlen(all[i].host) };

		if (access_origin(origin, host) != all[i].same)
			print_error("Origin %s to %s\n", all[i].origin, all[i].host);
		assert_int_equal(access_origin(origin, host), all[i].same);
	}
}

/* ---- whole heads ---- */

#define GET "GET /stats HTTP/1.1\r\nHost: 127.0.0.1:9090\r\n"
#define POST "POST /stats HTTP/1.1\r\nHost: 127.0.0.1:9090\r\n"
#define OURS "Origin: http://127.0.0.1:9090\r\n"
#define EVIL "Origin: http://evil.example\r\n"
#define RIGHT "Authorization: Basic YW5uYTpzZWNyZXQ=\r\n" /* anna:secret */
#define WRONG "Authorization: Basic YW5uYTpzZWNyZXQx\r\n"

struct visit {
	enum visitor visitor;
	bool password, takes_post;
	const char *head;
	int status;
	bool known;
};

static struct verdict judge(const struct visit *v, const char *path)
{
	const struct settings s = { .hosts = hosts, .password_file = v->password ? path : NULL };
	const struct route route = { .takes_post = v->takes_post,
				     .is_page = !strncmp(v->head, "GET / ", 6) };
	struct http_refusal why = { 0 };
	struct http_meaning meaning;
	struct http_head head;
	char text[1024];

	snprintf(text, sizeof text, "%s\r\n", v->head);
	assert_true(http_parse_head((struct slice){ text, strlen(text) }, &head, &why));
	assert_true(http_read_fields(&head, &meaning, &why));
	return access_judge(&s, v->visitor, &route, &head, &meaning);
}

static void test_requests(void **unused)
{
	static const struct visit all[] = {
		{ VISITOR_ANYBODY, false, false, GET, 0, false },
		{ VISITOR_UNIX, false, false, GET, 0, true },
		{ VISITOR_UNIX, true, false, GET, 0, true },
		{ VISITOR_ANYBODY, false, false, "GET /stats HTTP/1.0\r\n", 0, false },
		{ VISITOR_ANYBODY, false, false, "GET / HTTP/1.1\r\nHost: evil.example\r\n", 421,
		  false },
		{ VISITOR_UNIX, false, false, "GET / HTTP/1.1\r\nHost: evil.example\r\n", 421,
		  false },
		{ VISITOR_ANYBODY, false, false, GET OURS, 0, false },
		{ VISITOR_ANYBODY, false, false, GET EVIL, 403, false },
		{ VISITOR_ANYBODY, false, false, GET OURS EVIL, 403, false },
		{ VISITOR_ANYBODY, false, false, GET "Sec-Fetch-Site: same-origin\r\n", 0, false },
		{ VISITOR_ANYBODY, false, false, GET "Sec-Fetch-Site: none\r\n", 0, false },
		{ VISITOR_ANYBODY, false, false, GET "Sec-Fetch-Site: cross-site\r\n", 403, false },
		{ VISITOR_ANYBODY, false, false, GET "Sec-Fetch-Site: same-site\r\n", 403, false },
		{ VISITOR_ANYBODY, false, false,
		  GET "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate\r\n", 403, false },
		{ VISITOR_ANYBODY, false, false,
		  "GET / HTTP/1.1\r\nHost: localhost\r\nSec-Fetch-Site: cross-site\r\n"
		  "Sec-Fetch-Mode: navigate\r\n",
		  0, false },
		{ VISITOR_ANYBODY, false, false,
		  "GET / HTTP/1.1\r\nHost: localhost\r\nSec-Fetch-Site: cross-site\r\n", 403,
		  false },
		{ VISITOR_ANYBODY, false, false,
		  GET "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: no-cors\r\n", 403, false },
		/* With a password. */
		{ VISITOR_ANYBODY, true, false, GET, 401, false },
		{ VISITOR_ANYBODY, true, false, GET RIGHT, 0, true },
		{ VISITOR_ANYBODY, true, false, GET WRONG, 401, false },
		{ VISITOR_ANYBODY, true, false, GET RIGHT WRONG, 401, false },
		{ VISITOR_ANYBODY, true, false, GET EVIL RIGHT, 403, false },
		{ VISITOR_ANYBODY, true, false, GET "Authorization: Bearer YW5uYTpzZWNyZXQ=\r\n",
		  401, false },
		{ VISITOR_ANYBODY, true, false, GET "Authorization: Basic\r\n", 401, false },
		{ VISITOR_ANYBODY, true, false, GET "Authorization: Basic YW5uYTo=\r\n", 401,
		  false },
		/* What changes something. */
		{ VISITOR_ANYBODY, false, true, POST, 403, false },
		{ VISITOR_ANYBODY, false, true, POST OURS, 403, false },
		{ VISITOR_ANYBODY, true, true, POST RIGHT, 403, false },
		{ VISITOR_ANYBODY, true, true, POST OURS, 401, false },
		{ VISITOR_ANYBODY, true, true, POST OURS RIGHT, 0, true },
		{ VISITOR_ANYBODY, true, true, POST EVIL RIGHT, 403, false },
		{ VISITOR_ANYBODY, true, true, POST "Origin: null\r\n" RIGHT, 403, false },
		{ VISITOR_UNIX, false, true, POST, 403, false },
		{ VISITOR_UNIX, false, true, POST OURS, 0, true },
	};
	char path[] = "/tmp/uwsgi-inspect-XXXXXX";
	static const char lines[] = "# who may look\nbert:other\nanna:secret\n";
	int fd = mkstemp(path);

	(void)unused;
	assert_true(fd >= 0);
	assert_int_equal(write(fd, lines, sizeof lines - 1), sizeof lines - 1);
	close(fd);
	for (size_t i = 0; i < COUNT(all); i++) {
		const struct verdict v = judge(&all[i], path);

		if (v.status != all[i].status)
			print_error("%d: %s", v.status, all[i].head);
		assert_int_equal(v.status, all[i].status);
		assert_int_equal(!v.status && v.known, all[i].known);
	}
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hosts),
		cmocka_unit_test(test_origins),
		cmocka_unit_test(test_requests),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
