/* SPDX-License-Identifier: MIT */
/* scoreboard.c: makes the shared mappings.  The master makes and frees them; workers inherit
 * them through fork. */
#include "work/scoreboard.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

static void *map_shared(size_t size, struct error *e)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (p != MAP_FAILED)
		return p;
	uwsgi_error_set(e, "cannot map %zu bytes of shared memory: %s", size, strerror(errno));
	return NULL;
}

int scoreboard_init(struct scoreboard *sb, size_t slots, size_t lanes, struct error *e)
{
	size_t slots_size = slots * sizeof *sb->slot;
	size_t mapped = slots_size + slots * lanes * sizeof *sb->lane;
	char *p = map_shared(mapped, e);

	if (!p)
		return -1;
	*sb = (struct scoreboard){
		.slots = slots,
		.lanes = lanes,
		.slot = (struct slot_score *)p,
		.lane = (struct lane_score *)(p + slots_size),
		.mapped = mapped,
	};
	return 0;
}

void scoreboard_fini(struct scoreboard *sb)
{
	if (sb->slot)
		munmap(sb->slot, sb->mapped);
	*sb = (struct scoreboard){ 0 };
}

struct lane_score *scoreboard_lane(const struct scoreboard *sb, size_t slot, size_t lane)
{
	return &sb->lane[slot * sb->lanes + lane];
}

void scoreboard_clear(const struct scoreboard *sb, size_t slot)
{
	memset(&sb->slot[slot], 0, sizeof sb->slot[slot]);
	memset(scoreboard_lane(sb, slot, 0), 0, sb->lanes * sizeof *sb->lane);
}

struct tally *tally_new(struct error *e)
{
	return map_shared(sizeof(struct tally), e);
}

void tally_free(struct tally *t)
{
	if (t)
		munmap(t, sizeof *t);
}
