/* SPDX-License-Identifier: MIT */
/* state.c: the order in which the parts of a master are carried, which is that in which they can be made
 * again.  What each is, its own file knows. */
#include "process/state.h"

#include "base/hash.h"
#include "base/stray.h"
#include "work/order.h"

#include <sys/prctl.h>
#include <unistd.h>

uint64_t state_form(void)
{
	static const uint64_t sizes[] = {
		sizeof(struct message),
		sizeof(struct moved),
		sizeof(struct order),
		sizeof(struct totals),
		sizeof(struct board_score),
		sizeof(struct slot_score),
		sizeof(struct lane_score),
		UWSGI_STATE_MAX,
		MESSAGE_ORDER,
		UWSGI_ABI,
	};

	return hash_bytes(HASH_NOTHING, sizes, sizeof sizes);
}

static void carry_words(struct carry *c, char **words, int count, struct arena *memory)
{
	for (int i = 0; i < count; i++) {
		const char *word = c->reading ? NULL : words[i];

		carry_string(c, &word, memory);
		words[i] = (char *)(uintptr_t)word;
	}
}

static void carry_invocation(struct carry *c, struct invocation *invocation, struct arena *memory)
{
	char *input = (char *)(uintptr_t)invocation->input.p;

	carry_int(c, &invocation->argc, 0, 1 << 16);
	if (c->reading) {
		invocation->argv = arena_alloc(memory, ((size_t)invocation->argc + 1) *
							       sizeof *invocation->argv);
		if (!invocation->argv) {
			carry_fail(c, "out of memory");
			return;
		}
		invocation->argv[invocation->argc] = NULL;
	}
	carry_words(c, invocation->argv, invocation->argc, memory);
	carry_string(c, &invocation->cwd, memory);
	carry_bytes(c, &input, &invocation->input.n, 64 << 20);
	invocation->input.p = input;
}

void state_carry_start(struct carry *c, struct invocation *invocation, struct arena *words,
		       struct logfile *log, struct pidfiles *pidfiles, struct cause *cause)
{
	int master = getpid(), dumpable = prctl(PR_GET_DUMPABLE);
	uint64_t ambient = privileges_ambient();

	carry_int(c, &master, 1, INT32_MAX);
	if (c->reading && master != (c->rehearsal ? getppid() : getpid()))
		carry_fail(c, "the state is that of another process");
	carry_int(c, &dumpable, 0, 2);
	carry_u64(c, &ambient);
	if (c->reading && !c->failed) {
		/* What the kernel forgets about a process that executes a program. */
		prctl(PR_SET_DUMPABLE, dumpable == 1);
		privileges_set_ambient(ambient);
	}
	carry_text(c, cause->text, sizeof cause->text);
	carry_invocation(c, invocation, words);
	logfile_carry(log, c);
	pidfiles_carry(pidfiles, c);
}

static void carry_queue(struct migrate_queue *queue, struct carry *c)
{
	carry_fd(c, &queue->give);
	carry_fd(c, &queue->take);
}

void state_carry_common(const struct state *s, struct carry *c)
{
	stray_carry(c);
	outliving_carry(s->outliving, c);
	cells_carry(s->cells, c);
	carry_queue(&s->host->workers_left, c);
	carry_queue(&s->host->gateways_left, c);
	announce_carry(s->announcer, c);
}

void state_carry_processes(const struct state *s, struct carry *c)
{
	succession_carry(s->succession, c);
	services_carry(s->services, c);
	if (!c->failed) {
		daemons_carry(s->daemons, succession_config(s->succession), c);
		alarms_carry(s->alarms, succession_config(s->succession), c);
		vassals_carry(s->vassals, succession_config(s->succession), c);
	}
	chores_carry(s->chores, c);
	balancers_carry(s->balancers, c);
	logmaster_carry(s->log, c);
}

void state_write(const struct state *s, struct cause *cause, struct carry *c)
{
	struct invocation invocation = *s->invocation;
	struct arena unused;

	arena_init(&unused);
	carry_begin(c);
	logmaster_drain(s->log);
	state_carry_start(c, &invocation, &unused, s->log->file, s->pidfiles, cause);
	state_carry_common(s, c);
	state_carry_processes(s, c);
	arena_fini(&unused);
}

bool state_is_settled(const struct state *s)
{
	return daemons_are_settled(s->daemons) && balancers_are_told(s->balancers);
}
