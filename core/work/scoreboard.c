/* SPDX-License-Identifier: MIT */
/* scoreboard.c: makes the shared mappings.  The master makes and frees them; workers inherit
 * them through fork. */
#include "work/scoreboard.h"

#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static void *map_shared(size_t size, struct error *e)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (p != MAP_FAILED)
		return p;
	uwsgi_error_set(e, "cannot map %zu bytes of shared memory: %s", size, strerror(errno));
	return NULL;
}

static size_t size_of(size_t slots, size_t lanes)
{
	return slots * (sizeof(struct slot_score) + sizeof(struct worker_score)) +
	       slots * lanes * sizeof(struct lane_score);
}

static void lay_out(struct scoreboard *sb, void *at, size_t slots, size_t lanes, int fd)
{
	struct slot_score *slot = at;
	struct worker_score *worker = (struct worker_score *)(slot + slots);

	*sb = (struct scoreboard){
		.slots = slots,
		.lanes = lanes,
		.slot = slot,
		.worker = worker,
		.lane = (struct lane_score *)(worker + slots),
		.mapped = size_of(slots, lanes),
		.fd = fd,
	};
}

/* A memory that has a descriptor, and that nobody who is given that can write to. */
static void *map_file(int fd, size_t size, struct error *e)
{
	void *p = MAP_FAILED;

	if (fd >= 0 && ftruncate(fd, (off_t)size) == 0)
		p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p != MAP_FAILED &&
	    fcntl(fd, F_ADD_SEALS,
		  F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE | F_SEAL_SEAL) == 0)
		return p;
	uwsgi_error_set(e, "cannot map %zu bytes of shared memory: %s", size, strerror(errno));
	if (p != MAP_FAILED)
		munmap(p, size);
	return NULL;
}

int scoreboard_init(struct scoreboard *sb, size_t slots, size_t lanes, struct error *e)
{
	int fd = memfd_create("uwsgi-scoreboard", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	void *p = map_file(fd, size_of(slots, lanes), e);

	if (p) {
		lay_out(sb, p, slots, lanes, fd);
		return 0;
	}
	if (fd >= 0)
		close(fd);
	*sb = (struct scoreboard){ .fd = -1 };
	return -1;
}

int scoreboard_view(struct scoreboard *sb, int fd, size_t slots, size_t lanes)
{
	void *p = mmap(NULL, size_of(slots, lanes), PROT_READ, MAP_SHARED, fd, 0);

	if (p == MAP_FAILED)
		return -1;
	lay_out(sb, p, slots, lanes, -1);
	return 0;
}

void scoreboard_fini(struct scoreboard *sb)
{
	if (!sb->slot)
		return;
	munmap(sb->slot, sb->mapped);
	if (sb->fd >= 0)
		close(sb->fd);
	*sb = (struct scoreboard){ .fd = -1 };
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

void scoreboard_begin(const struct scoreboard *sb, size_t slot, int worker)
{
	struct slot_score *score = &sb->slot[slot];
	struct worker_score *all = &sb->worker[worker - 1];
	int64_t now = clock_wall_us() / 1000000;

	atomic_store(&score->worker, worker);
	atomic_store(&score->since, now);
	atomic_store(&all->since, now);
	atomic_fetch_add(&all->spawns, 1);
	atomic_store(&score->pid, getpid());
}

void scoreboard_retire(const struct scoreboard *sb, size_t slot)
{
	struct slot_score *score = &sb->slot[slot];

	if (!atomic_exchange(&score->pid, 0))
		return;
	struct worker_score *all = &sb->worker[atomic_load(&score->worker) - 1];

	for (size_t i = 0; i < sb->lanes; i++) {
		struct lane_score *lane = scoreboard_lane(sb, slot, i);

		atomic_fetch_add(&all->requests, atomic_load(&lane->requests));
		atomic_fetch_add(&all->failed, atomic_load(&lane->failed));
		atomic_fetch_add(&all->sent, atomic_load(&lane->sent));
		atomic_fetch_add(&all->running_us, atomic_load(&lane->running_us));
	}
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
