/* SPDX-License-Identifier: MIT */
/* date.c: time for plugins: a clock, and the date of HTTP's header fields.  strftime(3) would write days
 * and months in the language that the application has set. */
#include "base/clock.h"

#include <uwsgi/plugin.h>

#include <stdio.h>
#include <time.h>

int64_t uwsgi_now_ms(void)
{
	return clock_monotonic_coarse_ms();
}

void uwsgi_http_date(int64_t seconds, char text[UWSGI_DATE_SIZE])
{
	static const char days[][4] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
	static const char months[][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
					  "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
	static const int64_t year_9999_s = 253402300799;
	time_t t = seconds < 0 ? 0 : seconds > year_9999_s ? year_9999_s : seconds;
	struct tm tm;

	gmtime_r(&t, &tm);
	snprintf(text, UWSGI_DATE_SIZE, "%s, %02d %s %04d %02d:%02d:%02d GMT", days[tm.tm_wday % 7],
		 tm.tm_mday % 100, months[tm.tm_mon % 12], (tm.tm_year + 1900) % 10000,
		 tm.tm_hour % 100, tm.tm_min % 100, tm.tm_sec % 100);
}
