/* SPDX-License-Identifier: MIT */
/* test_vassals.c: when an emperor takes a vassal for dead, and its file for gone. */
#include "hidden.h"

#include "base/clock.h"
#include "process/vassals.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { HEARTBEAT_MS = 5000, LOOK_MS = 1000 };

struct fixture {
	char folder[32], file[48], pattern[48];
	const char *place;
	struct emperor_settings settings;
	void *memory;
	struct vassals all;
	int speaks; /* the vassal's end */
	pid_t pid;
};

static pid_t fork_idle(void *data, const struct vassal *v, int channel)
{
	struct fixture *f = data;

	(void)v;
	f->speaks = dup(channel);
	f->pid = fork();
	if (f->pid == 0) {
		pause();
		_exit(1);
	}
	return f->pid;
}

static void wake(void *data)
{
	(void)data;
}

/* One vassal, found by its folder or by a pattern, whose heart has beaten once. */
static void begin_with(struct fixture *f, int64_t now_ms, bool by_pattern)
{
	*f = (struct fixture){ .folder = "/tmp/test_vassals.XXXXXX" };
	assert_non_null(mkdtemp(f->folder));
	snprintf(f->file, sizeof f->file, "%s/a.ini", f->folder);
	close(open(f->file, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
	snprintf(f->pattern, sizeof f->pattern, "%s/*.ini", f->folder);
	f->place = by_pattern ? f->pattern : f->folder;
	f->settings = (struct emperor_settings){ .places = { &f->place, 1 },
						 .freq_s = LOOK_MS / 1000,
						 .required_heartbeat_s = HEARTBEAT_MS / 1000 };
	f->memory = calloc(1, vassals_memory_size());
	vassals_init(&f->all, vassals_ring(f->memory));
	f->all.settings = &f->settings;
	f->all.loop = ev_loop_new(EVFLAG_AUTO);
	f->all.fork = fork_idle;
	f->all.wake = wake;
	f->all.data = f;
	vassals_step(&f->all, now_ms);
	assert_true(f->pid > 0);
	assert_int_equal(send(f->speaks, "\x1a", 1, 0), 1);
	ev_run(f->all.loop, EVRUN_NOWAIT);
	TAILQ_FIRST(&f->all.list)->heard_ms = now_ms;
}

static void begin(struct fixture *f, int64_t now_ms)
{
	begin_with(f, now_ms, false);
}

/* Was it killed? */
static bool end(struct fixture *f)
{
	int status;

	kill(f->pid, SIGTERM);
	assert_int_equal(waitpid(f->pid, &status, 0), f->pid);
	/* It was not asked to end, as it would be by the server. */
	roster_fini(&TAILQ_FIRST(&f->all.list)->kept.roster);
	vassals_fini(&f->all);
	ev_loop_destroy(f->all.loop);
	close(f->speaks);
	free(f->memory);
	unlink(f->file);
	rmdir(f->folder);
	return WTERMSIG(status) == SIGKILL;
}

static void test_silence_ends_a_vassal(void **unused)
{
	int64_t now_ms = clock_monotonic_ms();
	struct fixture f;

	(void)unused;
	begin(&f, now_ms);
	for (int64_t at_ms = LOOK_MS; at_ms <= HEARTBEAT_MS; at_ms += LOOK_MS)
		vassals_step(&f.all, now_ms + at_ms);
	assert_true(end(&f));
}

/* It could not hear heartbeats while it was stopped itself. */
static void test_an_emperor_that_stood_still_waits_anew(void **unused)
{
	int64_t now_ms = clock_monotonic_ms();
	struct fixture f;

	(void)unused;
	begin(&f, now_ms);
	now_ms += 10 * HEARTBEAT_MS;
	for (int64_t at_ms = 0; at_ms < HEARTBEAT_MS - LOOK_MS; at_ms += LOOK_MS)
		vassals_step(&f.all, now_ms + at_ms);
	assert_false(end(&f));
}

static bool is_wanted(struct fixture *f, int64_t now_ms)
{
	vassals_step(&f->all, now_ms);
	return TAILQ_FIRST(&f->all.list)->kept.wanted;
}

/* A folder that cannot be read says nothing of its files, whether it is named or matched. */
static void test_a_file_that_cannot_be_seen_is_not_gone(void **unused)
{
	int64_t now_ms = clock_monotonic_ms();
	struct fixture f;

	(void)unused;
	for (int by_pattern = 0; by_pattern < 2; by_pattern++) {
		begin_with(&f, now_ms, by_pattern);
		hide(f.folder);
		bool hidden = is_wanted(&f, now_ms + LOOK_MS);

		show(f.folder);
		assert_true(hidden);
		assert_true(is_wanted(&f, now_ms + 2 * LOOK_MS));
		unlink(f.file);
		assert_false(is_wanted(&f, now_ms + 3 * LOOK_MS));
		end(&f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_silence_ends_a_vassal),
		cmocka_unit_test(test_an_emperor_that_stood_still_waits_anew),
		cmocka_unit_test(test_a_file_that_cannot_be_seen_is_not_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
