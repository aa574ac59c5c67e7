/* SPDX-License-Identifier: MIT */
/* scoreboard.c: makes the shared mappings.  The master makes and frees them; workers inherit
 * them through fork. */
#include "work/scoreboard.h"

#include "base/clock.h"

#include <string.h>
#include <unistd.h>

static size_t size_of(size_t slots, size_t lanes)
{
	return sizeof(struct board_score) + slots * sizeof(struct slot_score) +
	       slots * lanes * sizeof(struct lane_score);
}

static void lay_out(struct scoreboard *sb, const struct shared *memory, size_t slots, size_t lanes)
{
	struct board_score *board = memory->p;
	struct slot_score *slot = (struct slot_score *)(board + 1);

	*sb = (struct scoreboard){
		.slots = slots,
		.lanes = lanes,
		.board = board,
		.slot = slot,
		.lane = (struct lane_score *)(slot + slots),
		.memory = *memory,
	};
}

int scoreboard_init(struct scoreboard *sb, const struct scoreboard_setup *setup, struct error *e)
{
	struct shared memory;

	*sb = (struct scoreboard){ .memory = SHARED_NONE };
	if (shared_make(&memory, "uwsgi-scoreboard", size_of(setup->slots, setup->lanes), e))
		return -1;
	lay_out(sb, &memory, setup->slots, setup->lanes);
	sb->totals = setup->totals;
	atomic_store(&sb->board->generation, setup->generation);
	atomic_store(&sb->board->workers, setup->workers);
	atomic_store(&sb->board->wanted, setup->workers);
	scoreboard_show(sb, STAGE_STARTING);
	return 0;
}

int scoreboard_take_over(struct scoreboard *sb, const struct scoreboard_setup *setup, int own,
			 bool rehearsal, struct error *e)
{
	struct shared memory;

	*sb = (struct scoreboard){ .memory = SHARED_NONE };
	if (shared_take_over(&memory, own, size_of(setup->slots, setup->lanes), rehearsal, e))
		return -1;
	lay_out(sb, &memory, setup->slots, setup->lanes);
	sb->totals = setup->totals;
	return 0;
}

int scoreboard_view(struct scoreboard *sb, int fd, size_t slots, size_t lanes)
{
	struct shared memory;

	if (shared_view(&memory, fd, size_of(slots, lanes)))
		return -1;
	lay_out(sb, &memory, slots, lanes);
	return 0;
}

void scoreboard_fini(struct scoreboard *sb)
{
	if (!sb->slot)
		return;
	shared_free(&sb->memory);
	*sb = (struct scoreboard){ .memory = SHARED_NONE };
}

struct lane_score *scoreboard_lane(const struct scoreboard *sb, size_t slot, size_t lane)
{
	return &sb->lane[slot * sb->lanes + lane];
}

int scoreboard_busy(const struct scoreboard *sb, size_t slot)
{
	int busy = 0;

	for (size_t i = 0; i < sb->lanes; i++)
		busy += atomic_load(&scoreboard_lane(sb, slot, i)->busy);
	return busy;
}

void scoreboard_show(const struct scoreboard *sb, enum stage stage)
{
	atomic_store(&sb->board->since_us, clock_wall_us());
	atomic_store(&sb->board->stage, stage);
}

/* What nobody has written to takes no memory as long as nobody looks at it. */
void scoreboard_clear(const struct scoreboard *sb, size_t slot)
{
	if (!atomic_load(&sb->slot[slot].worker))
		return;
	memset(&sb->slot[slot], 0, sizeof sb->slot[slot]);
	memset(scoreboard_lane(sb, slot, 0), 0, sb->lanes * sizeof *sb->lane);
}

static void show_stage(struct slot_score *score, enum stage stage)
{
	atomic_store(&score->since_us, clock_wall_us());
	atomic_store(&score->stage, stage);
}

void scoreboard_enter(const struct scoreboard *sb, size_t slot, int worker)
{
	struct slot_score *score = &sb->slot[slot];

	atomic_store(&score->worker, worker);
	show_stage(score, STAGE_STARTING);
	atomic_store(&score->pid, getpid());
}

void scoreboard_begin(const struct scoreboard *sb, size_t slot, int worker)
{
	struct worker_score *all = &sb->totals->worker[worker - 1];
	int64_t now = clock_wall_us() / 1000000;

	atomic_store(&sb->slot[slot].serves_since, now);
	atomic_store(&all->since, now);
	atomic_fetch_add(&all->spawns, 1);
	/* It may have been asked to leave before it is ready. */
	if (atomic_load(&sb->slot[slot].stage) == STAGE_STARTING)
		show_stage(&sb->slot[slot], STAGE_SERVING);
}

void scoreboard_leave(const struct scoreboard *sb, size_t slot)
{
	show_stage(&sb->slot[slot], STAGE_LEAVING);
}

void scoreboard_retire(const struct scoreboard *sb, size_t slot, int worker)
{
	struct totals *totals = sb->totals;
	struct worker_score *all = &totals->worker[worker - 1];

	if (!atomic_load(&sb->slot[slot].pid))
		return;
	totals_begin_move(totals);
	atomic_store(&sb->slot[slot].pid, 0);
	for (size_t i = 0; i < sb->lanes; i++) {
		const struct counts *done = &scoreboard_lane(sb, slot, i)->counts;

		atomic_fetch_add(&all->requests, uwsgi_counts_requests(done));
		atomic_fetch_add(&all->failed, counts_get(&done->failed));
		atomic_fetch_add(&all->sent, counts_get(&done->sent));
		atomic_fetch_add(&all->running_us, counts_get(&done->run.sum_us));
		counts_add_all(&totals->gone, done);
	}
	totals_end_move(totals);
}
