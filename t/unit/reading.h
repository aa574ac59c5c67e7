/* SPDX-License-Identifier: MIT */
/* reading.h: a reading with nothing in it, for tests of what reads and expands. */
#ifndef T_READING_H
#define T_READING_H

#include "unit.h"

#include "settings/directives.h"
#include "settings/report.h"

#include <stdio.h>
#include <string.h>

struct fixture {
	struct arena arena;
	struct report report;
	struct directives set;
	struct catalogue catalogue;
	struct invocation invocation;
	struct reading reading;
};

static inline void fixture_begin(struct fixture *f)
{
	static char home[] = "HOME=/home/app", hom[] = "HOM=no", names[] = "NAMES=%(a)";
	static char *environment[] = { home, hom, names, NULL };

	*f = (struct fixture){ .invocation = { .environ_ = environment, .cwd = "/" } };
	arena_init(&f->arena);
	report_init(&f->report);
	f->reading = (struct reading){ .invocation = &f->invocation,
				       .catalogue = &f->catalogue,
				       .arena = &f->arena,
				       .report = &f->report,
				       .set = &f->set };
}

static inline void fixture_end(struct fixture *f)
{
	assert_false(f->arena.failed);
	directives_fini(&f->set);
	report_fini(&f->report);
	arena_fini(&f->arena);
}

/* "name=value", as line number `line` of a.ini.  Its name and value are in the arena. */
static inline struct directive fixture_line(struct fixture *f, const char *text, int line)
{
	size_t n = strcspn(text, "=");

	return (struct directive){ .name = arena_string(&f->arena, text, n),
				   .written = text[n] ? text + n + 1 : NULL,
				   .at = { "a.ini", line } };
}

static inline void fixture_add(struct fixture *f, const char *text)
{
	const struct directive d = fixture_line(f, text, (int)f->set.count + 1);

	assert_non_null(directives_add(&f->reading, &d));
}

#endif
