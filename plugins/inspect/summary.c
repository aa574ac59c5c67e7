/* SPDX-License-Identifier: MIT */
/* summary.c: lines for people: the state of the server, then what runs now, what was slow, and what
 * the log has warned of. */
#include "summary.h"

#include "inspect.h"
#include "stats/vassals.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static long long now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * 1000000LL + now.tv_nsec / 1000;
}

/* ---- words ---- */

static const char *write_duration(char to[24], double seconds)
{
	if (seconds < 0.001)
		snprintf(to, 24, "%.0f us", seconds * 1e6);
	else if (seconds < 0.9995) /* which three digits would round to 1e+03 */
		snprintf(to, 24, "%.3g ms", seconds * 1e3);
	else if (seconds < 120)
		snprintf(to, 24, "%.1f s", seconds);
	else if (seconds < 7200)
		snprintf(to, 24, "%.0f min", seconds / 60);
	else if (seconds < 172800)
		snprintf(to, 24, "%.0f h", seconds / 3600);
	else
		snprintf(to, 24, "%.0f days", seconds / 86400);
	return to;
}

static const char *write_bytes(char to[24], unsigned long long n)
{
	static const char units[] = "KMGTP";
	double value = (double)n;
	int unit = -1;

	for (; value >= 1024 && unit < 4; unit++)
		value /= 1024;
	if (unit < 0)
		snprintf(to, 24, "%llu B", n);
	else
		snprintf(to, 24, "%.*f %ciB", value < 10 ? 1 : 0, value, units[unit]);
	return to;
}

/* One line, cut where the screen ends; what could move the cursor is shown as ?. */
static UWSGI_PRINTF(2, 3) void say(struct summary *s, const char *fmt, ...)
{
	char text[512];
	va_list ap;
	int columns = 0;

	if (s->lines-- <= 0)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	for (char *c = text; *c; c++) {
		bool begins = ((unsigned char)*c & 0xc0) != 0x80;

		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = '?';
		if (begins && columns++ == s->columns)
			*c = '\0';
		if (!*c)
			break;
	}
	fprintf(s->to, "%s\n", text);
}

/* ---- the server ---- */

static void say_rate(char to[40], const struct summary *s, unsigned long long now,
		     unsigned long long before, long long us)
{
	*to = '\0';
	if (s->rates && s->last_us && us > 0)
		snprintf(to, 40, " (%.1f/s)", (double)(now - before) * 1e6 / (double)us);
}

static void say_server(struct summary *s, const struct status *status,
		       const struct server_status *server, long long at_us)
{
	char age[24], rate[40], sent[24];
	const struct counts *c = &server->counts;
	unsigned long long requests = uwsgi_counts_requests(c);

	say_rate(rate, s, requests, uwsgi_counts_requests(&s->last), at_us - s->last_us);
	say(s, "uwsgi %s, pid %ld, %s, generation %d, up %s", UWSGI_VERSION, (long)server->master,
	    state_name(state_of(status)), server->generation,
	    write_duration(age, (double)(at_us - server->started_us) / 1e6));
	say(s, "requests %llu%s, failed %llu, sent %s, clients gone %llu", requests, rate,
	    c->failed, write_bytes(sent, c->sent), c->unsent + c->unread);
	say(s, "answers  2xx %llu, 3xx %llu, 4xx %llu, 5xx %llu", c->answers[2], c->answers[3],
	    c->answers[4], c->answers[5]);
}

/* With rates, those of the time since the last look, where there were any. */
static struct histogram since(const struct histogram *now, const struct histogram *before)
{
	struct histogram h = *now;

	for (size_t i = 0; i < UWSGI_BUCKETS; i++)
		h.bucket[i] -= before->bucket[i] <= h.bucket[i] ? before->bucket[i] : 0;
	return uwsgi_histogram_count(&h) ? h : *now;
}

static void say_times(struct summary *s, const char *name, const struct histogram *now,
		      const struct histogram *before)
{
	static const double parts[] = { 0.5, 0.95, 0.99 };
	struct histogram h = s->rates ? since(now, before) : *now;
	char text[3][24];

	if (uwsgi_histogram_count(&h) == 0)
		return;
	for (size_t i = 0; i < 3; i++)
		write_duration(text[i], (double)uwsgi_histogram_quantile_us(&h, parts[i]) / 1e6);
	say(s, "%-8s half below %s, 95 %% below %s, 99 %% below %s", name, text[0], text[1],
	    text[2]);
}

static void say_sockets(struct summary *s, const struct status *status)
{
	struct socket_status socket;

	for (size_t i = 0; uwsgi_status_next_socket(status, &i, &socket);)
		if (socket.queue >= 0)
			say(s, "%-8s %s: %lld of %lld places in its queue are taken",
			    socket.protocol, socket.name, socket.queue, socket.max_queue);
}

/* ---- workers ---- */

static void say_lanes(struct summary *s, const struct status *status, pid_t pid)
{
	struct lane_status l;
	char age[24];

	for (size_t i = 0; uwsgi_status_next(status, &i, &l);)
		if (l.pid == pid && l.busy)
			say(s, "           thread %d: %s %s, for %s", l.lane + 1, l.method, l.uri,
			    write_duration(age, (double)l.running_ms / 1000));
}

static void say_workers(struct summary *s, const struct status *status, long long at_us)
{
	struct process_status p;
	char age[24], memory[24];

	say(s, "%s", "");
	say(s, "worker     pid  gen  state     since     requests    memory");
	for (size_t i = 0; uwsgi_status_next_process(status, &i, &p);) {
		say(s, "%6d %7ld %4d  %-8s  %-8s %9llu %9s%s", p.worker, (long)p.pid, p.generation,
		    stage_name(p.stage), write_duration(age, (double)(at_us - p.since_us) / 1e6),
		    p.requests, write_bytes(memory, p.share ? p.share : p.resident),
		    p.share ? "" : " (rss)");
		say_lanes(s, status, p.pid);
	}
}

/* ---- vassals ---- */

static void say_vassals(struct summary *s, const struct status *status, long long at_us)
{
	size_t count;
	struct vassal_status *all = vassals_sorted(status, &count);
	char age[24];

	if (count) {
		say(s, "%s", "");
		say(s, "    pid  state      since     vassal");
	}
	for (size_t i = 0; i < count; i++) {
		const struct vassal_status *v = &all[i];
		long long since_us = v->state == VASSAL_SERVING ? v->ready_us : v->started_us;

		say(s, "%7ld  %-9s  %-8s  %s%s%s%s%s", (long)v->pid, vassal_state_name(v->state),
		    since_us ? write_duration(age, (double)(at_us - since_us) / 1e6) : "",
		    v->folder, *v->folder ? "/" : "", v->name, *v->why ? ": " : "", v->why);
	}
	free(all);
}

/* ---- what happened ---- */

static const char *write_time(char to[24], long long us)
{
	time_t seconds = (time_t)(us / 1000000);
	struct tm tm;

	if (!localtime_r(&seconds, &tm) || !strftime(to, 24, "%H:%M:%S", &tm))
		*to = '\0';
	return to;
}

static void say_slow(struct summary *s, const struct status *status)
{
	struct slow_status slow;
	char at[24], ran[24];

	for (size_t i = 0, n = 0; n < 8 && uwsgi_status_next_slow(status, &i, &slow); n++) {
		if (n == 0) {
			say(s, "%s", "");
			say(s, "slow requests, the last first");
		}
		say(s, "%s  %8s  %d  %s %s (worker %d)", write_time(at, slow.at_us),
		    write_duration(ran, (double)slow.run_us / 1e6), slow.status, slow.method,
		    slow.uri, slow.worker);
	}
}

static void say_warnings(struct summary *s, const struct status *status)
{
	struct warning_status w;
	char at[24];

	for (size_t i = 0, n = 0; n < 8 && uwsgi_status_next_warning(status, &i, &w); n++) {
		if (n == 0) {
			say(s, "%s", "");
			say(s, "warnings and errors of the log, the last first");
		}
		w.text[strcspn(w.text, "\n")] = '\0';
		say(s, "%s  %s", write_time(at, w.at_us), w.text);
	}
}

void summary_write(struct summary *s, const struct status *status)
{
	struct server_status server;
	long long at_us = now_us();

	uwsgi_status_server(status, &server);
	say_server(s, status, &server, at_us);
	say_times(s, "waited", &server.counts.wait, &s->last.wait);
	say_times(s, "ran", &server.counts.run, &s->last.run);
	say_sockets(s, status);
	say_workers(s, status, at_us);
	say_vassals(s, status, at_us);
	say_slow(s, status);
	say_warnings(s, status);
	s->last_us = at_us;
	s->last = server.counts;
}
