/* SPDX-License-Identifier: MIT */
/* test_packet.c: a request as a uwsgi packet. */
#include "unit.h"

#include "packet.h"
#include "exchange/request.h"

static void begin(struct request *rq)
{
	static const struct request_limits limits = { .post_buffering = 1 << 20 };

	request_init(rq, &limits);
}

static void test_the_packet_is_as_documented(void **unused)
{
	static const char expected[] = "\1\x14\0\2\1\0A\2\0xy\6\0COLOUR\3\0red";
	char packet[PACKET_MAX], more[64];
	size_t more_size = 0;
	struct request rq;

	(void)unused;
	begin(&rq);
	assert_true(uwsgi_request_var(&rq, SLICE("A"), SLICE("xy")));
	assert_true(packet_add(more, &more_size, SLICE("COLOUR"), SLICE("red")));
	assert_int_equal(packet_size(&rq, (struct slice){ more, more_size }), sizeof expected - 1);
	packet_write(packet, &rq, (struct slice){ more, more_size }, 1, 2);
	assert_memory_equal(packet, expected, sizeof expected - 1);
	request_fini(&rq);
}

static void test_what_does_not_fit_is_refused(void **unused)
{
	static char value[65536];
	char packet[PACKET_MAX];
	struct request rq;

	(void)unused;
	begin(&rq);
	/* Exactly full: 2 + 1 + 2 + value. */
	uwsgi_request_var(&rq, SLICE("A"), (struct slice){ value, 65530 });
	assert_int_equal(packet_size(&rq, SLICE("")), PACKET_MAX);
	assert_int_equal(packet_size(&rq, SLICE("x")), PACKET_MAX + 1);
	packet_write(packet, &rq, SLICE(""), 0, 0);
	assert_memory_equal(packet, "\0\xff\xff\0", 4);
	uwsgi_request_var(&rq, SLICE("B"), (struct slice){ value, 65536 });
	assert_int_equal(packet_size(&rq, SLICE("")), 0);
	request_fini(&rq);
	size_t n = 4;
	assert_false(packet_add(packet, &n, SLICE("A"), (struct slice){ value, 65531 }));
	assert_false(packet_add(packet, &n, SLICE("A"), (struct slice){ value, 65536 }));
	assert_int_equal(n, 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_packet_is_as_documented),
		cmocka_unit_test(test_what_does_not_fit_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
