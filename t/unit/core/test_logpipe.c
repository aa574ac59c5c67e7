/* SPDX-License-Identifier: MIT */
/* test_logpipe.c: lines of children and of the master come to the log in order, nobody waits for a
 * log that is not read, and what is lost is told. */
#include "unit.h"

#include "base/log.h"
#include "log/logpipe.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { PIPE_BYTES = 4096 };

struct fixture {
	struct ev_loop *loop;
	struct logfile file;
	struct logpipe pipe;
	int log[2];         /* the log is a small pipe; the test reads log[0] */
	int standard_error; /* as it was */
	char text[1 << 21];
};

static int begin(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	struct error e;

	*state = f;
	f->loop = ev_loop_new(EVFLAG_AUTO);
	if (pipe2(f->log, O_CLOEXEC | O_NONBLOCK) ||
	    fcntl(f->log[1], F_SETPIPE_SZ, PIPE_BYTES) != PIPE_BYTES)
		return -1;
	f->standard_error = dup(STDERR_FILENO);
	dup2(f->log[1], STDERR_FILENO);
	logfile_init(&f->file, "/");
	logpipe_open(&f->pipe, f->loop, &f->file);
	if (logpipe_open_pipe(&f->pipe, 1 << 16, &e))
		return -1;
	logpipe_take_own(&f->pipe);
	return 0;
}

static int end(void **state)
{
	struct fixture *f = *state;

	logpipe_close(&f->pipe);
	dup2(f->standard_error, STDERR_FILENO);
	close(f->standard_error);
	close(f->log[0]);
	close(f->log[1]);
	ev_loop_destroy(f->loop);
	free(f);
	return 0;
}

/* What is in the log now; takes it out. */
static void read_log(struct fixture *f)
{
	size_t at = strlen(f->text);
	ssize_t n = read(f->log[0], f->text + at, sizeof f->text - 1 - at);

	f->text[at + (size_t)(n > 0 ? n : 0)] = '\0';
}

/* Reads as a reader does that was away for a while, until there is nothing more. */
static void read_all(struct fixture *f)
{
	size_t before;

	do {
		before = strlen(f->text);
		read_log(f);
		logpipe_drain(&f->pipe);
		ev_run(f->loop, EVRUN_NOWAIT);
		read_log(f);
	} while (strlen(f->text) > before);
}

static void child_says(struct fixture *f, const char *text)
{
	assert_int_equal(write(f->pipe.ends[1], text, strlen(text)), strlen(text));
}

static void test_lines_of_children_and_own_ones_keep_their_order(void **state)
{
	struct fixture *f = *state;

	child_says(f, "first\n");
	uwsgi_log(UWSGI_NOTE, "second");
	child_says(f, "third\n");
	uwsgi_log(UWSGI_ERROR, "fourth");
	read_all(f);
	assert_string_equal(f->text, "first\nsecond\nthird\nerror: fourth\n");
}

static void test_a_log_that_nobody_reads_holds_nobody_up(void **state)
{
	struct fixture *f = *state;
	char *at;

	for (int i = 0; i < 2000; i++)
		uwsgi_log(UWSGI_NOTE, "line %d", i);
	read_all(f);
	at = f->text;
	for (int i = 0; i < 2000; i++) {
		char line[32];
		int n = snprintf(line, sizeof line, "line %d\n", i);

		assert_memory_equal(at, line, n);
		at += n;
	}
	assert_string_equal(at, "");
}

static void test_what_does_not_fit_is_counted_and_told(void **state)
{
	struct fixture *f = *state;
	char line[1001];

	memset(line, 'x', 1000);
	line[1000] = '\0';
	for (int i = 0; i < 1500; i++)
		uwsgi_log(UWSGI_NOTE, "%s", line);
	read_all(f);
	uwsgi_log(UWSGI_NOTE, "and on");
	read_all(f);
	char *told =
		strstr(f->text, " bytes of the log are lost here: nobody read it for too long\n");
	assert_non_null(told);
	assert_non_null(strstr(told, "\nand on\n"));
	/* Not one byte is gone that is not told. */
	while (told > f->text && told[-1] != ' ')
		told--;
	size_t kept = 0;
	for (const char *at = f->text; (at = strstr(at, line)); at += 1000)
		kept += 1001;
	assert_int_equal(kept + strtoull(told, NULL, 10), 1500 * 1001);
}

static void test_the_end_writes_what_is_left(void **state)
{
	struct fixture *f = *state;

	child_says(f, "last words without a newline");
	logpipe_close(&f->pipe);
	read_log(f);
	assert_string_equal(f->text, "last words without a newline");
}

/* The lines go through this encoder to so many times standard error. */
static struct sinks *encode(struct fixture *f, const char *encoder, size_t loggers)
{
	const char *const stdio[] = { "stdio", "stdio" };
	const struct sink_options o = { .encoders = { &encoder, 1 },
					.loggers = { stdio, loggers } };
	struct sinks *sinks = sinks_new(&o, false, 1024, false);

	logpipe_use(&f->pipe, sinks);
	return sinks;
}

static void test_sinks_get_whole_lines(void **state)
{
	struct fixture *f = *state;
	struct sinks *sinks = encode(f, "prefix <", 1);

	child_says(f, "fir");
	read_all(f);
	assert_string_equal(f->text, "");
	uwsgi_log(UWSGI_NOTE, "of the master");
	child_says(f, "st\nsecond\nla");
	read_all(f);
	assert_string_equal(f->text, "<of the master\n<first\n<second\n");
	logpipe_close(&f->pipe);
	read_log(f);
	assert_string_equal(f->text, "<of the master\n<first\n<second\n<la");
	sinks_free(sinks);
}

static void test_what_sinks_make_too_much_is_told_and_no_more_is_lost(void **state)
{
	struct fixture *f = *state;
	const char *ten = "format ${msg}${msg}${msg}${msg}${msg}${msg}${msg}${msg}${msg}${msg}";
	char line[60001];

	memset(line, 'x', sizeof line - 2);
	strcpy(line + sizeof line - 2, "\n");
	struct sinks *sinks = encode(f, ten, 2);
	child_says(f, line);
	read_all(f);
	*f->text = '\0';
	logpipe_use(&f->pipe, NULL);
	child_says(f, "and on\n");
	read_all(f);
	assert_non_null(strstr(f->text, "60000 bytes of the log are lost here: Cannot allocate"));
	assert_non_null(strstr(f->text, "and on\n"));
	sinks_free(sinks);
}

/* Takes so much at once from now on. */
static void open_again(struct fixture *f, size_t portion)
{
	struct error e;

	logpipe_close(&f->pipe);
	logpipe_open(&f->pipe, f->loop, &f->file);
	assert_int_equal(logpipe_open_pipe(&f->pipe, portion, &e), 0);
	logpipe_take_own(&f->pipe);
}

static void test_own_lines_do_not_wait_for_ever(void **state)
{
	struct fixture *f = *state;

	open_again(f, 1024);
	for (int i = 0; i < 300; i++)
		child_says(
			f,
			"a line of one hundred bytes, or thereabouts, of which there are very many in "
			"the pipe already ........\n");
	uwsgi_log(UWSGI_NOTE, "own");
	read_all(f);
	char *own = strstr(f->text, "\nown\n");
	assert_non_null(own);
	assert_true(strlen(own) > 1000);
}

static void test_many_own_lines_reach_the_sinks_whole(void **state)
{
	struct fixture *f = *state;
	struct sinks *sinks = encode(f, "prefix <", 1);
	int begun = 0, ended = 0;

	for (int i = 0; i < 3000; i++)
		uwsgi_log(UWSGI_NOTE, "%0100d", i);
	read_all(f);
	for (const char *at = f->text; *at; at++) {
		begun += *at == '<';
		ended += *at == '\n';
	}
	assert_int_equal(begun, 3000);
	assert_int_equal(ended, 3000);
	logpipe_use(&f->pipe, NULL);
	sinks_free(sinks);
}

static void test_a_line_longer_than_a_portion_gets_through_the_sinks(void **state)
{
	struct fixture *f = *state;
	char line[3002];
	size_t count = 0;

	open_again(f, 1024);
	struct sinks *sinks = encode(f, "prefix <", 1);
	memset(line, 'x', 3000);
	strcpy(line + 3000, "\n");
	child_says(f, line);
	read_all(f);
	for (const char *at = f->text; *at; at++)
		count += *at == 'x';
	assert_int_equal(count, 3000);
	logpipe_use(&f->pipe, NULL);
	sinks_free(sinks);
}

static void test_a_line_that_breaks_off_is_ended_before_the_next(void **state)
{
	struct fixture *f = *state;
	FILE *disk = tmpfile();
	struct rlimit before, full;

	dup2(fileno(disk), STDERR_FILENO);
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &before);
	full = before;
	full.rlim_cur = 10;
	setrlimit(RLIMIT_FSIZE, &full);
	child_says(f, "0123456789abc\n");
	logpipe_drain(&f->pipe);
	setrlimit(RLIMIT_FSIZE, &before);
	uwsgi_log(UWSGI_NOTE, "next");
	logpipe_drain(&f->pipe);
	dup2(f->log[1], STDERR_FILENO);
	rewind(disk);
	f->text[fread(f->text, 1, 1000, disk)] = '\0';
	fclose(disk);
	assert_string_equal(f->text, "0123456789\nnext\n"
				     "error: 4 bytes of the log are lost here: File too large\n");
}

static void test_without_a_pipe_the_end_writes_own_lines(void **state)
{
	struct fixture *f = *state;

	logpipe_close(&f->pipe);
	logpipe_open(&f->pipe, f->loop, &f->file);
	logpipe_take_own(&f->pipe);
	uwsgi_log(UWSGI_NOTE, "the last");
	logpipe_close(&f->pipe);
	read_log(f);
	assert_string_equal(f->text, "the last\n");
}

static void test_one_that_is_closed_does_nothing(void **state)
{
	struct logpipe closed = { 0 };

	(void)state;
	logpipe_drain(&closed);
	logpipe_enter_child(&closed);
	logpipe_enter_child_for_requests(&closed);
	logpipe_use(&closed, NULL);
	logpipe_close(&closed);
}

#define WITH_LOG(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_LOG(test_lines_of_children_and_own_ones_keep_their_order),
		WITH_LOG(test_a_log_that_nobody_reads_holds_nobody_up),
		WITH_LOG(test_what_does_not_fit_is_counted_and_told),
		WITH_LOG(test_the_end_writes_what_is_left),
		WITH_LOG(test_sinks_get_whole_lines),
		WITH_LOG(test_what_sinks_make_too_much_is_told_and_no_more_is_lost),
		WITH_LOG(test_own_lines_do_not_wait_for_ever),
		WITH_LOG(test_many_own_lines_reach_the_sinks_whole),
		WITH_LOG(test_a_line_longer_than_a_portion_gets_through_the_sinks),
		WITH_LOG(test_a_line_that_breaks_off_is_ended_before_the_next),
		WITH_LOG(test_without_a_pipe_the_end_writes_own_lines),
		WITH_LOG(test_one_that_is_closed_does_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
