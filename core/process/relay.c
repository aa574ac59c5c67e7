/* SPDX-License-Identifier: MIT */
/* relay.c: nothing that a service says is believed.  The worst that a forged order does is to have a
 * worker of this server looked at. */
#include "process/relay.h"

#include "base/clock.h"
#include "work/order.h"

#include <linux/sockios.h>
#include <sys/ioctl.h>

/* All services together. */
enum { ORDERS_A_SECOND = 1000 };

static bool comes_too_often(struct relay *r)
{
	int64_t second = clock_monotonic_ms() / 1000;

	if (r->second != second)
		*r = (struct relay){ .second = second };
	return ++r->orders > ORDERS_A_SECOND;
}

/* The channel of a worker that serves, or still finishes what it runs; -1: there is none. */
static int channel_of(const struct generation *g, int64_t pid)
{
	const struct roster *r = &g->roster;

	for (size_t i = 0; i < r->slot_count; i++) {
		const struct slot *slot = &r->slots[i];

		if (slot->pid == pid && !roster_is_gateway(r, slot) &&
		    (slot->state == SLOT_SERVING || slot->state == SLOT_LEAVING))
			return g->slot_channel[i].io.fd;
	}
	return -1;
}

/* Whoever has not taken the last one gets no other: there must be room in the channel for the order to
 * leave. */
static bool has_room(int channel)
{
	int untaken;

	return ioctl(channel, SIOCOUTQ, &untaken) == 0 && untaken == 0;
}

void relay_order(struct relay *r, const struct succession *s, const struct message *m, int fd)
{
	struct order order;

	if (!order_read(m, &order) || m->value <= 0 || comes_too_often(r))
		return;
	const struct message order_again = order_message((pid_t)m->value, &order);

	for (const struct generation *g = s->generations; g; g = g->next) {
		int channel = channel_of(g, m->value);

		if (channel < 0)
			continue;
		if (has_room(channel))
			channel_send(channel, &order_again, fd);
		return;
	}
}
