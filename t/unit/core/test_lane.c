/* SPDX-License-Identifier: MIT */
/* test_lane.c: a lane accepts, has its application run what comes, and shows and counts it; it ends
 * when it is asked to and all is answered.  The application is one of a few lines. */
#include "wire.h"

#include "settings/config.h"
#include "work/lane.h"
#include "exchange/requestlog.h"
#include "work/worker.h"

#include <poll.h>
#include <pthread.h>
#include <sys/un.h>

struct fixture {
	struct config *config;
	struct scoreboard scoreboard;
	struct ring slow;
	struct listener listener;
	struct listeners listeners;
	struct lane_setup setup;
	struct lane lane;
	char ran[256]; /* the requests, in their order */
	int leave_after, exhausted_at;
	struct lane_score seen;                         /* while the first request ran */
	int64_t waiting_deadline_ms, later_deadline_ms; /* of "w": see handle() */
};

static struct totals totals;
static struct fixture *fixture; /* for lane_start(), which gets no pointer */

/* ---- the application ---- */

static int lane_start(int lane, void **state, struct error *e)
{
	(void)lane;
	(void)e;
	*state = fixture;
	return 0;
}

static void handle(void *state, struct request *rq, struct response *rs)
{
	struct fixture *f = state;
	struct slice line = uwsgi_request_find(rq, SLICE("LINE"));

	if (!*f->ran)
		memcpy(&f->seen, f->lane.score, sizeof f->seen);
	snprintf(f->ran + strlen(f->ran), sizeof f->ran - strlen(f->ran), "%.*s ", (int)line.n,
		 line.p);
	if (*line.p == 'w') {
		/* As when it waits for its client. */
		f->lane.clients.host->pause(&f->lane);
		f->waiting_deadline_ms = f->lane.score->deadline_ms;
		f->lane.clients.host->resume(&f->lane);
		f->later_deadline_ms = f->lane.score->deadline_ms;
	}
	uwsgi_response_start(rs, SLICE("200 OK"));
	uwsgi_response_body(rs, (struct slice){ line.p, line.n + 1 }, NULL);
	uwsgi_response_end(rs);
	if (--f->leave_after == 0)
		lane_ask_to_leave(&f->lane, 1, false);
}

static void release(void *state, void *const *owners, size_t count)
{
	(void)state;
	(void)owners;
	(void)count;
}

static void lane_stop(void *state)
{
	(void)state;
}

static const struct app app = { .name = "lines",
				.lane_start = lane_start,
				.handle = handle,
				.pause = lane_stop,
				.resume = lane_stop,
				.release = release,
				.lane_stop = lane_stop };

static void exhausted(void *worker)
{
	struct fixture *f = worker;

	f->exhausted_at = (int)f->scoreboard.slot[0].requests;
}

/* ---- the lane ---- */

static struct config *load(char *word)
{
	static const struct option_table *const tables[] = { &config_table,     &lane_options,
							     &harakiri_options, &requestlog_options,
							     &header_options,   &trust_options,
							     &trace_options };
	char *argv[] = { (char[]){ "uwsgi" }, (char[]){ "--disable-logging" }, word, NULL };
	char *environ_[] = { NULL };
	struct invocation invocation = {
		.argc = word ? 3 : 2, .argv = argv, .environ_ = environ_, .cwd = "/"
	};
	struct report report;

	report_init(&report);
	struct config *cfg =
		config_load(&invocation, tables, sizeof tables / sizeof *tables, &report);
	report_print(&report);
	report_fini(&report);
	assert_non_null(cfg);
	return cfg;
}

static void open_listener(struct listener *l)
{
	sa_family_t any_name = AF_UNIX;

	*l = (struct listener){ .option = "socket",
				.protocol = &lines,
				.head_timeout_s = 4,
				.body_timeout_s = 4,
				.idle_timeout_s = 10,
				.write_timeout_s = 4 };
	l->address.sa.ss_family = AF_UNIX;
	l->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(l->fd, (struct sockaddr *)&any_name, sizeof any_name), 0);
	assert_int_equal(listen(l->fd, 16), 0);
}

static void begin(struct fixture *f, char *word, int leave_after)
{
	struct error e;

	*f = (struct fixture){ .leave_after = leave_after };
	fixture = f;
	f->config = load(word);
	totals = (struct totals){ 0 };
	const struct scoreboard_setup board = {
		.totals = &totals, .generation = 1, .workers = 1, .slots = 1, .lanes = 1
	};
	assert_int_equal(scoreboard_init(&f->scoreboard, &board, &e), 0);
	open_listener(&f->listener);
	f->listeners = (struct listeners){ &f->listener, 1, NULL };
	f->setup = (struct lane_setup){ .config = f->config,
					.listeners = &f->listeners,
					.neighbours = MIGRATE_NO_QUEUE,
					.successors = MIGRATE_NO_QUEUE,
					.app = &app,
					.slot = f->scoreboard.slot,
					.totals = &totals,
					.slow = &f->slow,
					.pid = getpid(),
					.worker_id = 1,
					.lanes = 1,
					.exhausted = exhausted,
					.worker = f };
	assert_int_equal(
		lane_init(&f->lane, &f->setup, 0, scoreboard_lane(&f->scoreboard, 0, 0), &e), 0);
}

static void finish(struct fixture *f)
{
	lane_fini(&f->lane);
	close(f->listener.fd);
	scoreboard_fini(&f->scoreboard);
	config_free(f->config);
}

/* A client that says this and nothing more; returns its socket. */
static int client(struct fixture *f, const char *text)
{
	struct sockaddr_un name;
	socklen_t length = sizeof name;
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	assert_int_equal(getsockname(f->listener.fd, (struct sockaddr *)&name, &length), 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&name, length), 0);
	wire_say(fd, text);
	shutdown(fd, SHUT_WR);
	return fd;
}

static void test_what_waits_is_accepted_and_answered(void **unused)
{
	struct fixture f;

	(void)unused;
	begin(&f, NULL, 3);
	int one = client(&f, "a\nb\n"), two = client(&f, "c\n");
	lane_run(&f.lane);
	assert_string_equal(wire_hear(one), "a\nb\n");
	assert_string_equal(wire_hear(two), "c\n");
	close(one);
	close(two);
	finish(&f);
}

static void test_what_waits_when_the_server_stops_is_answered(void **unused)
{
	struct fixture f;

	(void)unused;
	begin(&f, NULL, 0);
	int one = client(&f, "a\n"), two = client(&f, "b\n");
	/* Nobody new can come. */
	shutdown(f.listener.fd, SHUT_RD);
	lane_ask_to_leave(&f.lane, 1000, true);
	lane_run(&f.lane);
	assert_string_equal(wire_hear(one), "a\n");
	assert_string_equal(wire_hear(two), "b\n");
	close(one);
	close(two);
	finish(&f);
}

static void *run(void *lane)
{
	lane_run(lane);
	return NULL;
}

/* Until it is told to leave, which may be a while where there are many. */
static void test_an_idle_lane_sleeps_when_its_socket_was_shut_down(void **unused)
{
	struct fixture f;
	struct pollfd wakes = { .events = POLLIN };
	pthread_t thread;
	int tries = 10000;

	(void)unused;
	begin(&f, NULL, 0);
	shutdown(f.listener.fd, SHUT_RD);
	wakes.fd = f.lane.idle;
	assert_int_equal(poll(&wakes, 1, 0), 1);
	assert_int_equal(pthread_create(&thread, NULL, run, &f.lane), 0);
	while (poll(&wakes, 1, 0) == 1 && tries-- > 0)
		usleep(1000);
	assert_true(tries > 0);
	lane_ask_to_leave(&f.lane, 1000, true);
	assert_int_equal(pthread_join(thread, NULL), 0);
	finish(&f);
}

static void test_requests_are_counted_for_lane_worker_and_server(void **unused)
{
	struct fixture f;

	(void)unused;
	begin(&f, NULL, 3);
	int fd = client(&f, "a\nb\nc\n");
	lane_run(&f.lane);
	assert_int_equal(uwsgi_counts_requests(&f.lane.score->counts), 3);
	assert_int_equal(f.scoreboard.slot[0].requests, 3);
	assert_int_equal(totals.requests, 3);
	close(fd);
	finish(&f);
}

static void test_the_master_sees_what_runs_and_until_when_it_may(void **unused)
{
	struct fixture f;

	(void)unused;
	begin(&f, (char[]){ "--harakiri=30" }, 1);
	int fd = client(&f, "a\n");
	lane_run(&f.lane);
	assert_true(f.seen.busy);
	assert_string_equal(f.seen.uri, "a");
	assert_int_equal(f.seen.deadline_ms, f.seen.began_ms + 30000);
	assert_false(f.lane.score->busy);
	assert_int_equal(f.lane.score->deadline_ms, 0);
	close(fd);
	finish(&f);
}

static void test_a_client_s_time_is_not_the_application_s(void **unused)
{
	struct fixture f;

	(void)unused;
	begin(&f, (char[]){ "--harakiri=30" }, 1);
	int fd = client(&f, "w\n");
	lane_run(&f.lane);
	assert_int_equal(f.waiting_deadline_ms, 0);
	assert_true(f.later_deadline_ms >= f.seen.deadline_ms);
	close(fd);
	finish(&f);
}

static void test_the_worker_is_told_once_that_it_had_its_requests(void **unused)
{
	struct fixture f;

	(void)unused;
	begin(&f, (char[]){ "--max-requests=2" }, 4);
	int fd = client(&f, "a\nb\nc\nd\n");
	lane_run(&f.lane);
	assert_int_equal(f.exhausted_at, 2);
	assert_string_equal(f.ran, "a b c d ");
	close(fd);
	finish(&f);
}

/* What files, routes and the like cost who has none of them: nothing. */
static void test_without_handlers_requests_pass_no_chain(void **unused)
{
	struct fixture f;

	(void)unused;
	begin(&f, NULL, 1);
	assert_ptr_equal(f.lane.handle, handle);
	assert_ptr_equal(f.lane.release, release);
	assert_ptr_equal(f.lane.handle_state, f.lane.app_state);
	assert_int_equal(f.lane.chain.started, 0);
	finish(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_waits_is_accepted_and_answered),
		cmocka_unit_test(test_what_waits_when_the_server_stops_is_answered),
		cmocka_unit_test(test_an_idle_lane_sleeps_when_its_socket_was_shut_down),
		cmocka_unit_test(test_requests_are_counted_for_lane_worker_and_server),
		cmocka_unit_test(test_the_master_sees_what_runs_and_until_when_it_may),
		cmocka_unit_test(test_a_client_s_time_is_not_the_application_s),
		cmocka_unit_test(test_the_worker_is_told_once_that_it_had_its_requests),
		cmocka_unit_test(test_without_handlers_requests_pass_no_chain),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
