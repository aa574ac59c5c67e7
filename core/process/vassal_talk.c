/* SPDX-License-Identifier: MIT */
/* vassal_talk.c: what the process of a vassal says of itself becomes what others see of it.  What follows
 * from that is vassals.c's. */
#include "process/vassal_talk.h"

#include "base/clock.h"
#include "work/channel.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>

void vassal_show(struct vassal *v)
{
	ring_rewrite(&v->all->shown, v->row, &v->shown);
}

void vassal_show_state(struct vassal *v, enum vassal_state state)
{
	v->shown.state = state;
	vassal_show(v);
}

struct slot *vassal_slot(struct vassal *v)
{
	for (size_t i = 0; v->kept.running && i < v->kept.roster.slot_count; i++)
		if (v->kept.roster.slots[i].state != SLOT_VACANT)
			return &v->kept.roster.slots[i];
	return NULL;
}

static void note_ready(struct vassal *v)
{
	struct slot *slot = vassal_slot(v);

	if (!slot || (slot->state != SLOT_STARTING && slot->state != SLOT_SERVING))
		return;
	if (slot->state == SLOT_STARTING) {
		roster_ready(&v->kept.roster, slot, clock_monotonic_ms());
		uwsgi_log(UWSGI_NOTE, "%s (pid %ld) serves", v->title, (long)slot->pid);
	} else {
		uwsgi_log(UWSGI_NOTE, "%s (pid %ld) has reloaded", v->title, (long)slot->pid);
	}
	v->busy_since_ms = 0;
	v->failed_reload = false;
	v->shown.why[0] = '\0';
	v->shown.ready_us = clock_wall_us();
	vassal_show_state(v, VASSAL_SERVING);
}

static void note_failed_reload(struct vassal *v, const char *why)
{
	const struct slot *slot = vassal_slot(v);

	v->busy_since_ms = 0;
	if (!slot || slot->state != SLOT_SERVING)
		return;
	uwsgi_log(UWSGI_WARNING, "%s (pid %ld) could not reload, and serves on: %s", v->title,
		  (long)slot->pid, why);
	v->failed_reload = true;
	snprintf(v->shown.why, sizeof v->shown.why, "reload failed: %.150s", why);
	vassal_show_state(v, VASSAL_SERVING);
}

static void on_word(struct vassal *v, int word)
{
	switch (word) {
	case ALLEGIANCE_READY:
		note_ready(v);
		break;
	case ALLEGIANCE_HEARTBEAT:
		v->heard_ms = clock_monotonic_ms();
		v->shown.heartbeat_us = clock_wall_us();
		vassal_show(v);
		break;
	case ALLEGIANCE_FAILED:
		note_failed_reload(v, v->reader.text);
		break;
	case ALLEGIANCE_INSPECT:
		snprintf(v->shown.inspect, sizeof v->shown.inspect, "%.*s",
			 (int)sizeof v->shown.inspect - 1, v->reader.text);
		vassal_show(v);
		break;
	default:
		break; /* -1, or nothing that matters here */
	}
}

void vassal_hear(struct vassal *v)
{
	unsigned char bytes[256];
	ssize_t n = 0;

	while (v->channel.io.fd >= 0 && (n = recv(v->channel.io.fd, bytes, sizeof bytes, 0)) > 0)
		for (ssize_t i = 0; i < n; i++)
			on_word(v, allegiance_read(&v->reader, bytes[i]));
	if (v->channel.io.fd >= 0 && (n == 0 || (errno != EAGAIN && errno != EINTR)))
		channel_close(&v->channel, v->all->loop);
}

static void on_channel(struct watch *w)
{
	struct vassal *v = w->data;

	vassal_hear(v);
	v->all->wake(v->all->data);
}

void vassal_listen(struct vassal *v, int fd)
{
	watch_begin(&v->channel, v->all->loop, fd, on_channel, v);
}

/* A program that is no vassal of this kind, and has closed its end, understands the signal. */
void vassal_tell(const struct vassal *v, const struct slot *slot, enum allegiance_word word,
		 int signal)
{
	const char byte = (char)word;

	if (v->channel.io.fd < 0 ||
	    send(v->channel.io.fd, &byte, 1, MSG_DONTWAIT | MSG_NOSIGNAL) != 1)
		kill(slot->pid, signal);
}
