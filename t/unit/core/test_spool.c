/* SPDX-License-Identifier: MIT */
/* test_spool.c: bytes that move to a file stay in order, whatever stays in memory and however much
 * was sent between; owners come back when theirs are no longer needed. */
#include "unit.h"

#include "exchange/spool.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BLOCKS = 40, BLOCK = UWSGI_COPY_MAX + 100, ALL = BLOCKS * (BLOCK + 10) };

static char block[BLOCKS][BLOCK];

/* A chunk, as a protocol frames it: what owns the block comes behind it. */
static void add(struct sendbuf *o, int i)
{
	const struct piece piece = { .bytes = { block[i], BLOCK }, .fd = -1, .length = BLOCK };

	memset(block[i], 'a' + i % 26, BLOCK);
	uwsgi_sendbuf_printf(o, "head %03d", i);
	uwsgi_sendbuf_piece(o, &piece);
	uwsgi_sendbuf_bytes(o, SLICE("\r\n"));
	sendbuf_owner(o, block[i]);
}

/* Sends up to n bytes, from memory or a file. */
static size_t take(struct sendbuf *o, char *to, size_t n)
{
	const struct sendbuf_segment *file = sendbuf_front_file(o);
	struct iovec v[1];

	if (o->pending == 0)
		return 0;
	if (file) {
		n = (int64_t)n < file->length ? n : (size_t)file->length;
		assert_int_equal(pread(file->fd, to, n, file->at), n);
	} else {
		assert_int_equal(sendbuf_vector(o, v, 1), 1);
		n = n < v[0].iov_len ? n : v[0].iov_len;
		memcpy(to, v[0].iov_base, n);
	}
	sendbuf_advance(o, (int64_t)n);
	return n;
}

static void assert_in_order(const char *got)
{
	char head[24];

	for (int i = 0; i < BLOCKS; i++, got += BLOCK + 10) {
		snprintf(head, sizeof head, "head %03d", i);
		assert_memory_equal(got, head, 8);
		assert_memory_equal(got + 8, block[i], BLOCK);
		assert_memory_equal(got + 8 + BLOCK, "\r\n", 2);
	}
}

static void assert_all_given_back(struct sendbuf *o)
{
	assert_int_equal(o->done_count, BLOCKS);
	for (int i = 0; i < BLOCKS; i++) {
		int found = 0;

		for (int k = 0; k < BLOCKS; k++)
			found += o->done[k] == block[i];
		assert_int_equal(found, 1);
	}
}

static void test_order_and_owners_for_every_mixture(void **unused)
{
	static char got[ALL + BLOCK];
	struct error e;

	(void)unused;
	for (unsigned seed = 0; seed < 300; seed++) {
		struct sendbuf o;
		struct spool s;
		size_t at = 0;

		srand(seed);
		sendbuf_init(&o);
		spool_init(&s);
		for (int i = 0; i < BLOCKS; i++) {
			add(&o, i);
			if (rand() % 3 == 0)
				at += take(&o, got + at, (size_t)(rand() % (4 * BLOCK)));
			if (rand() % 3 == 0)
				assert_int_equal(spool_take(&s, &o, rand() % 4 * BLOCK, ALL, &e),
						 SPOOL_DONE);
		}
		while (o.pending > 0)
			at += take(&o, got + at, (size_t)(1 + rand() % (3 * BLOCK)));
		assert_int_equal(at, ALL);
		assert_in_order(got);
		assert_all_given_back(&o);
		assert_int_equal(sendbuf_memory(&o), 0);
		spool_close(&s);
		sendbuf_fini(&o);
	}
}

static void test_what_stays_in_memory(void **unused)
{
	struct sendbuf o;
	struct spool s;
	struct error e;

	(void)unused;
	sendbuf_init(&o);
	spool_init(&s);
	for (int i = 0; i < 4; i++)
		add(&o, i);
	int64_t all = o.pending;

	/* A block that has begun to stay does so whole. */
	assert_int_equal(spool_take(&s, &o, 9, ALL, &e), SPOOL_DONE);
	assert_int_equal(o.done_count, 3);
	assert_int_equal(o.lent, BLOCK);
	assert_int_equal(s.length, 3 * (BLOCK + 10));
	assert_int_equal(spool_take(&s, &o, 0, ALL, &e), SPOOL_DONE);
	assert_int_equal(o.done_count, 4);
	assert_int_equal(sendbuf_memory(&o), 0);
	assert_int_equal(o.pending, all);
	assert_int_equal(s.length, all);
	/* Sent: the file begins again. */
	sendbuf_drop(&o);
	add(&o, 0);
	assert_int_equal(spool_take(&s, &o, 0, ALL, &e), SPOOL_DONE);
	assert_int_equal(s.length, BLOCK + 10);
	sendbuf_drop(&o);
	spool_close(&s);
	sendbuf_fini(&o);
}

static void test_small_blocks_move_too(void **unused)
{
	struct sendbuf o;
	struct spool s;
	struct error e;

	(void)unused;
	sendbuf_init(&o);
	spool_init(&s);
	for (int i = 0; i < 1000; i++)
		uwsgi_sendbuf_bytes(&o, (struct slice){ block[0], 1000 });
	assert_int_equal(spool_take(&s, &o, 100000, 2000000, &e), SPOOL_DONE);
	assert_in_range(sendbuf_memory(&o), 100000, 200000);
	assert_int_equal(o.pending, 1000000);
	assert_int_equal(s.length, 1000000 - sendbuf_memory(&o));
	sendbuf_drop(&o);
	spool_close(&s);
	sendbuf_fini(&o);
}

static void test_a_full_file_leaves_all_as_it_is(void **unused)
{
	struct sendbuf o;
	struct spool s;
	struct error e;

	(void)unused;
	sendbuf_init(&o);
	spool_init(&s);
	add(&o, 0);
	assert_int_equal(spool_take(&s, &o, 0, 0, &e), SPOOL_FULL);
	assert_int_equal(s.fd, -1);
	assert_int_equal(spool_take(&s, &o, 0, BLOCK, &e), SPOOL_FULL);
	assert_int_equal(o.done_count, 0);
	assert_int_equal(o.lent, BLOCK);
	assert_int_equal(spool_take(&s, &o, 0, BLOCK + 10, &e), SPOOL_DONE);
	sendbuf_drop(&o);
	spool_close(&s);
	sendbuf_fini(&o);
}

/* What lies behind a file of the application's may belong to the owner of that. */
static void test_an_application_s_own_file_keeps_what_follows_it(void **unused)
{
	const struct piece file = { .fd = 0, .length = 10 };
	struct sendbuf o;
	struct spool s;
	struct error e;

	(void)unused;
	sendbuf_init(&o);
	spool_init(&s);
	uwsgi_sendbuf_bytes(&o, SLICE("head"));
	uwsgi_sendbuf_piece(&o, &file);
	uwsgi_sendbuf_bytes(&o, SLICE("end"));
	sendbuf_owner(&o, &s);
	assert_int_equal(spool_take(&s, &o, 4, ALL, &e), SPOOL_DONE);
	assert_int_equal(s.fd, -1);
	assert_int_equal(o.done_count, 0);
	sendbuf_drop(&o);
	sendbuf_fini(&o);
}

static void test_without_a_folder_it_says_why(void **unused)
{
	struct sendbuf o;
	struct spool s;
	struct error e;
	const char *folder = getenv("TMPDIR");
	char *before = folder ? strdup(folder) : NULL;

	(void)unused;
	sendbuf_init(&o);
	spool_init(&s);
	add(&o, 0);
	setenv("TMPDIR", "/nonexistent", 1);
	assert_int_equal(spool_take(&s, &o, 0, ALL, &e), SPOOL_FAILED);
	assert_string_equal(e.text, "cannot create a temporary file for an answer in /nonexistent: "
				    "No such file or directory");
	if (before)
		setenv("TMPDIR", before, 1);
	else
		unsetenv("TMPDIR");
	free(before);
	assert_int_equal(o.done_count, 0);
	sendbuf_drop(&o);
	sendbuf_fini(&o);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order_and_owners_for_every_mixture),
		cmocka_unit_test(test_what_stays_in_memory),
		cmocka_unit_test(test_small_blocks_move_too),
		cmocka_unit_test(test_a_full_file_leaves_all_as_it_is),
		cmocka_unit_test(test_an_application_s_own_file_keeps_what_follows_it),
		cmocka_unit_test(test_without_a_folder_it_says_why),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
