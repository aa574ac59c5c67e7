/* SPDX-License-Identifier: MIT */
/* test_accept.c: Accept-Encoding, as clients write it and as nobody should. */
#include "unit.h"

#include <uwsgi/plugin.h>

static void test_what_is_said_of_gzip(void **unused)
{
	static const struct {
		const char *field;
		int quality;
	} cases[] = {
		{ "gzip", 1000 },
		{ "gzip, deflate, br", 1000 },
		{ "br;q=1.0,\tGZip ; q=0.5", 500 },
		{ "x-gzip", 1000 },
		{ "gzip;Q=0.125", 125 },
		{ "gzip;q=1.000", 1000 },
		{ "gzip;q=1.", 1000 },
		{ "gzip;q=0", 0 },
		{ "gzip;q=0.000", 0 },
		{ "*", 1000 },
		{ "*;q=0.1, gzip;q=0.2", 200 },
		{ "gzip;q=0, *", 0 },
		{ "br, *;q=0", 0 },
		{ ", ,gzip,", 1000 },
		{ "", -1 },
		{ ",,;;,", -1 },
		{ "br", -1 },
		{ "xgzip, gzipx, gzi, x-gzi, z-gzip", -1 },
		{ "gzip=1", -1 },
		/* What nobody should say: it may have meant 0. */
		{ "gzip;q=1.1", 0 },
		{ "gzip;q=2", 0 },
		{ "gzip;q=", 0 },
		{ "gzip;q=0.0001", 0 },
		{ "gzip;q=-1", 0 },
		{ "gzip;q=.5", 0 },
		{ "gzip;q=1;q=0", 0 },
		{ "gzip;level=1", 0 },
	};

	(void)unused;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct slice field = { cases[i].field, strlen(cases[i].field) };
		int quality = uwsgi_accept_coding(field, SLICE("gzip"));

		if (quality != cases[i].quality)
			fail_msg("%s: %d, expected %d", cases[i].field, quality, cases[i].quality);
	}
	assert_int_equal(uwsgi_accept_coding((struct slice){ NULL, 0 }, SLICE("gzip")), -1);
	assert_int_equal(uwsgi_accept_coding(SLICE("gzip, br;q=0.9"), SLICE("br")), 900);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_what_is_said_of_gzip) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
