/* SPDX-License-Identifier: MIT */
/* test_carry.c: what one program has written another one reads, and whatever else it is given it refuses
 * with a reason. */
#include "unit.h"

#include "base/carry.h"
#include "process/roster.h"
#include "settings/directives.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { FORM = 7 };

/* Something of each kind. */
struct things {
	int64_t number;
	int small;
	bool yes, no;
	uint64_t any;
	int64_t when_ms;
	size_t count;
	char text[8];
	const char *string;
	struct timespec at;
	struct arena memory;
	char *bytes, *nothing;
	size_t bytes_n, nothing_n;
	int fd, no_fd;
};

static void carry_things(struct things *t, struct carry *c)
{
	carry_number(c, &t->number, -5, 5);
	carry_int(c, &t->small, 1, 9);
	carry_bool(c, &t->yes);
	carry_bool(c, &t->no);
	carry_u64(c, &t->any);
	carry_ms(c, &t->when_ms);
	t->count = carry_count(c, t->count, 3);
	carry_text(c, t->text, sizeof t->text);
	carry_string(c, &t->string, &t->memory);
	carry_timespec(c, &t->at);
	carry_bytes(c, &t->bytes, &t->bytes_n, 100);
	carry_bytes(c, &t->nothing, &t->nothing_n, 100);
	carry_fd(c, &t->fd);
	carry_fd(c, &t->no_fd);
}

static int write_things(struct carry *c)
{
	char bytes[] = "a\0b";
	struct things t = { .number = -5,
			    .small = 9,
			    .yes = true,
			    .any = UINT64_MAX,
			    .when_ms = 1234567,
			    .count = 3,
			    .text = "seven77",
			    .string = "any length",
			    .at = { -1, 999999999 },
			    .bytes = bytes,
			    .bytes_n = 3,
			    .fd = fcntl(1, F_DUPFD_CLOEXEC, 10),
			    .no_fd = -1 };
	struct error e;

	carry_begin(c);
	carry_things(&t, c);
	int fd = carry_send(c, FORM, &e);

	assert_true(fd >= 0);
	return fd;
}

/* What write_things() makes, and a copy of its bytes for the test to damage. */
struct written {
	struct carry c; /* its descriptor stays open: whoever reads looks at it */
	char bytes[4096];
	size_t n;
};

static void begin(struct written *w)
{
	int fd = write_things(&w->c);

	w->n = (size_t)pread(fd, w->bytes, sizeof w->bytes, 0);
	close(fd);
}

static void end(struct written *w)
{
	close(w->c.fds[0]);
	carry_fini(&w->c);
}

static void flip(char *bytes, size_t bit)
{
	bytes[bit / 8] ^= (char)(1 << bit % 8);
}

static void close_things(struct things *t)
{
	free(t->bytes);
	free(t->nothing);
	arena_fini(&t->memory);
	if (t->fd >= 0)
		close(t->fd);
}

static void test_what_was_written_is_read(void **unused)
{
	struct carry c, r;
	struct error e;
	struct things t = { .nothing_n = 9 };
	int fd = write_things(&c);

	(void)unused;
	assert_int_equal(c.fd_count, 1);
	carry_keep_open(&c, true);
	assert_int_equal(fcntl(c.fds[0], F_GETFD), 0);
	assert_int_equal(carry_receive(&r, fd, FORM, &e), 0);
	carry_things(&t, &r);
	assert_int_equal(carry_end(&r, &e), 0);
	assert_int_equal(fcntl(c.fds[0], F_GETFD), FD_CLOEXEC);
	assert_int_equal(t.number, -5);
	assert_int_equal(t.small, 9);
	assert_true(t.yes && !t.no);
	assert_true(t.any == UINT64_MAX);
	assert_int_equal(t.when_ms, 1234567);
	assert_int_equal(t.count, 3);
	assert_string_equal(t.text, "seven77");
	assert_string_equal(t.string, "any length");
	assert_true(t.at.tv_sec == -1 && t.at.tv_nsec == 999999999);
	assert_int_equal(t.bytes_n, 3);
	assert_memory_equal(t.bytes, "a\0b", 4);
	assert_null(t.nothing);
	assert_int_equal(t.nothing_n, 0);
	assert_int_equal(t.fd, c.fds[0]);
	assert_int_equal(t.no_fd, -1);
	close_things(&t);
	carry_fini(&c);
	carry_fini(&r);
	close(fd);
}

static void test_nobody_can_change_it(void **unused)
{
	struct carry c;
	int fd = write_things(&c);

	(void)unused;
	assert_int_equal(pwrite(fd, "x", 1, 0), -1);
	assert_int_equal(ftruncate(fd, 0), -1);
	close(c.fds[0]);
	carry_fini(&c);
	close(fd);
}

/* The bytes of a state, changed by the test. */
static int with_bytes(const void *p, size_t n)
{
	int fd = memfd_create("state", MFD_CLOEXEC);

	assert_int_equal(write(fd, p, n), n);
	return fd;
}

/* Reads all, and says how it went: whatever was in it, the values are in their bounds. */
static int read_things(int fd, struct error *e)
{
	struct things t = { .fd = -1 };
	struct carry r;
	int failed = carry_receive(&r, fd, FORM, e);

	if (!failed) {
		carry_things(&t, &r);
		failed = carry_end(&r, e);
		carry_fini(&r);
		assert_in_range(t.number + 5, 0, 10);
		assert_in_range(t.small, 1, 9);
		assert_in_range(t.count, 0, 3);
		assert_true(t.when_ms >= 0 && t.bytes_n <= 100 && t.nothing_n <= 100);
		assert_true(strnlen(t.text, sizeof t.text) < sizeof t.text);
		assert_non_null(t.string);
		assert_in_range(t.at.tv_nsec, 0, 999999999);
		/* A number that a bit was changed in may be another one that is open. */
		t.fd = -1;
		close_things(&t);
	}
	close(fd);
	return failed;
}

static void test_a_state_that_ends_anywhere_is_refused(void **unused)
{
	struct written w;
	struct error e;

	(void)unused;
	begin(&w);
	for (size_t i = 0; i < w.n; i++)
		assert_int_equal(read_things(with_bytes(w.bytes, i), &e), -1);
	w.bytes[w.n] = 0;
	assert_int_equal(read_things(with_bytes(w.bytes, w.n + 1), &e), -1);
	assert_int_equal(read_things(with_bytes(w.bytes, w.n), &e), 0);
	end(&w);
}

static void test_no_changed_bit_does_harm(void **unused)
{
	struct written w;
	struct error e;

	(void)unused;
	begin(&w);
	for (size_t i = 0; i < w.n * 8; i++) {
		flip(w.bytes, i);
		read_things(with_bytes(w.bytes, w.n), &e);
		flip(w.bytes, i);
	}
	end(&w);
}

static void test_another_version_or_form_is_named(void **unused)
{
	struct written w;
	struct carry r;
	struct error e;

	(void)unused;
	begin(&w);
	int fd = with_bytes(w.bytes, w.n);
	assert_int_equal(carry_receive(&r, fd, FORM + 1, &e), -1);
	assert_non_null(strstr(e.text, "another form"));
	close(fd);
	w.bytes[8]++;
	assert_int_equal(read_things(with_bytes(w.bytes, w.n), &e), -1);
	assert_string_equal(e.text,
			    "the server hands over version 2 of its state, and this program "
			    "understands version 1");
	assert_int_equal(carry_receive(&r, 0, FORM, &e), -1);
	assert_int_equal(carry_receive(&r, -1, FORM, &e), -1);
	assert_int_equal(carry_receive(&r, open("/dev/zero", O_RDONLY | O_CLOEXEC), FORM, &e), -1);
	end(&w);
}

static void test_the_first_failure_is_kept_and_nothing_is_sent(void **unused)
{
	struct carry c;
	struct error e;
	int number = 12;

	(void)unused;
	carry_begin(&c);
	carry_int(&c, &number, 0, 9);
	carry_fail(&c, "and more");
	assert_int_equal(carry_send(&c, FORM, &e), -1);
	assert_string_equal(e.text, "the state holds 12 where 0 to 9 can be");
	carry_fini(&c);
}

/* ---- what is carried ---- */

static void make_roster(struct roster *r)
{
	const struct roster_row row = { .name = "worker", .count = 2, .by_zygote = true };
	const struct roster_setup setup = { &row, 1, 1000, 1000 };
	struct error e;

	assert_int_equal(roster_init(r, &setup, &e), 0);
}

static int send_roster(struct roster *r, struct carry *c)
{
	struct error e;

	carry_begin(c);
	roster_carry(r, c);
	return carry_send(c, FORM, &e);
}

/* A roster that goes on does what it would have done. */
static void test_a_roster_goes_on(void **unused)
{
	struct roster old, new;
	struct carry c, r;
	struct error e;

	(void)unused;
	make_roster(&old);
	make_roster(&new);
	old.open = old.has_zygote = true;
	for (int i = 0; i < 2; i++) {
		struct roster_action a = roster_next(&old, 100);

		assert_int_equal(a.kind, ROSTER_FORK);
		roster_forked(&old, a.slot, 50 + i);
	}
	roster_ready(&old, &old.slots[0], 150);
	int fd = send_roster(&old, &c);
	assert_int_equal(carry_receive(&r, fd, FORM, &e), 0);
	roster_carry(&new, &r);
	assert_int_equal(carry_end(&r, &e), 0);
	assert_int_equal(roster_serving(&new, false), 1);
	assert_string_equal(new.slots[1].name, "worker 2");
	assert_int_equal(new.slots[1].pid, 51);
	struct roster_action was = roster_next(&old, 200), is = roster_next(&new, 200);
	assert_int_equal(is.kind, ROSTER_WAIT);
	assert_int_equal(is.due_ms, was.due_ms);
	carry_fini(&c);
	carry_fini(&r);
	close(fd);
	roster_fini(&old);
	roster_fini(&new);
}

/* Places and states are used as indexes. */
static void test_a_damaged_roster_is_refused_or_harmless(void **unused)
{
	char bytes[8192];
	struct roster old;
	struct carry c, r;
	struct error e;

	(void)unused;
	make_roster(&old);
	old.open = old.has_zygote = true;
	roster_next(&old, 100);
	int fd = send_roster(&old, &c);
	size_t n = (size_t)pread(fd, bytes, sizeof bytes, 0);
	for (size_t i = 0; i < n * 8; i++) {
		struct roster new;

		make_roster(&new);
		flip(bytes, i);
		int damaged = with_bytes(bytes, n);
		if (carry_receive(&r, damaged, FORM, &e) == 0) {
			roster_carry(&new, &r);
			for (int k = 0; k < 20 && roster_next(&new, 200).kind != ROSTER_WAIT; k++)
				;
			carry_fini(&r);
		}
		flip(bytes, i);
		close(damaged);
		roster_fini(&new);
	}
	carry_fini(&c);
	close(fd);
	roster_fini(&old);
}

static void test_settings_are_carried_with_all_that_is_said_of_them(void **unused)
{
	struct directive items[] = {
		{ .name = "http-socket", .value = ":80", .at = { "a.ini", 3 } },
		{ .name = "master", .at = { "command line", 0 }, .from_environment = true },
		{ .name = "name", .value = "", .placeholder = true, .used = true },
	};
	struct directives set = { .items = items, .count = 3, .file = "a.ini" }, read = { 0 };
	struct arena arena;
	struct carry c, r;
	struct error e;

	(void)unused;
	arena_init(&arena);
	carry_begin(&c);
	directives_carry(&set, &arena, &c);
	int fd = carry_send(&c, FORM, &e);
	assert_int_equal(carry_receive(&r, fd, FORM, &e), 0);
	directives_carry(&read, &arena, &r);
	assert_int_equal(carry_end(&r, &e), 0);
	assert_int_equal(read.count, 3);
	assert_string_equal(read.file, "a.ini");
	assert_string_equal(read.items[0].value, ":80");
	assert_string_equal(read.items[0].at.file, "a.ini");
	assert_int_equal(read.items[0].at.line, 3);
	assert_null(read.items[1].value);
	assert_true(read.items[1].from_environment && read.items[2].placeholder);
	assert_string_equal(read.items[2].value, "");
	assert_true(read.items[2].used);
	directives_fini(&read);
	arena_fini(&arena);
	carry_fini(&c);
	carry_fini(&r);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_was_written_is_read),
		cmocka_unit_test(test_nobody_can_change_it),
		cmocka_unit_test(test_a_state_that_ends_anywhere_is_refused),
		cmocka_unit_test(test_no_changed_bit_does_harm),
		cmocka_unit_test(test_another_version_or_form_is_named),
		cmocka_unit_test(test_the_first_failure_is_kept_and_nothing_is_sent),
		cmocka_unit_test(test_a_roster_goes_on),
		cmocka_unit_test(test_a_damaged_roster_is_refused_or_harmless),
		cmocka_unit_test(test_settings_are_carried_with_all_that_is_said_of_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
