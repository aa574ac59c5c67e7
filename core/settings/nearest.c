/* SPDX-License-Identifier: MIT */
/* nearest.c: how far two names are from each other, counted in slips of the finger.  The catalogue
 * and the loader ask it for hints.  Pure. */
#include "settings/nearest.h"

#include <ctype.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

enum { NAME_MAX_COMPARED = 48 };

static char fold(char c)
{
	return c == '_' ? '-' : (char)tolower((unsigned char)c);
}

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

/* Insertions, deletions, replacements and swaps of neighbours that lead from a to b, where
 * capitals and underscores count as what they stand for. */
static unsigned distance(const char *a, const char *b)
{
	unsigned row[3][NAME_MAX_COMPARED + 1];
	size_t n = strlen(a), m = strlen(b);

	if (n > NAME_MAX_COMPARED || m > NAME_MAX_COMPARED)
		return NAME_MAX_COMPARED;
	for (size_t j = 0; j <= m; j++)
		row[0][j] = (unsigned)j;
	for (size_t i = 1; i <= n; i++) {
		unsigned *now = row[i % 3], *before = row[(i + 2) % 3], *earlier = row[(i + 1) % 3];

		now[0] = (unsigned)i;
		for (size_t j = 1; j <= m; j++) {
			bool same = fold(a[i - 1]) == fold(b[j - 1]);

			now[j] = least(before[j] + 1, now[j - 1] + 1);
			now[j] = least(now[j], before[j - 1] + !same);
			if (i > 1 && j > 1 && fold(a[i - 1]) == fold(b[j - 2]) &&
			    fold(a[i - 2]) == fold(b[j - 1]))
				now[j] = least(now[j], earlier[j - 2] + 1);
		}
	}
	return row[n % 3][m];
}

/* Which letters a name has.  One slip changes two of them at most. */
static unsigned letters_of(const char *name)
{
	unsigned letters = 0;

	for (; *name; name++)
		letters |= 1u << (fold(*name) & 31);
	return letters;
}

/* The distance, or at least limit: most names differ too much in length or letters to be
 * compared. */
static unsigned distance_below(const char *a, const char *b, unsigned limit)
{
	size_t n = strlen(a), m = strlen(b);

	if (limit == 0 || (n > m ? n - m : m - n) >= limit)
		return limit;
	if (__builtin_popcount(letters_of(a) ^ letters_of(b)) > 2 * ((int)limit - 1))
		return limit;
	return distance(a, b);
}

static unsigned allowed_slips(size_t length)
{
	return length < 3 ? 0 : length < 8 ? 1 : length < 14 ? 2 : 3;
}

struct nearest nearest_to(const char *wanted)
{
	return (struct nearest){ .wanted = wanted, .distance = allowed_slips(strlen(wanted)) + 1 };
}

void nearest_consider(struct nearest *n, const char *name)
{
	size_t wanted = strlen(n->wanted);
	bool begins = wanted >= 4 && strncmp(name, n->wanted, wanted) == 0;
	unsigned d = begins ? 1 : distance_below(n->wanted, name, n->distance);

	if (d < n->distance && strlen(name) < sizeof n->name) {
		n->distance = d;
		memcpy(n->name, name, strlen(name) + 1);
	}
}

void nearest_allow_one_slip(struct nearest *n)
{
	n->distance = least(n->distance, 2);
}

const char *uwsgi_nearest(struct slice wanted, const char *const *names, size_t count)
{
	char text[NAME_MAX_COMPARED + 1];
	struct nearest n;

	snprintf(text, sizeof text, "%.*s",
		 (int)(wanted.n < sizeof text ? wanted.n : sizeof text - 1), wanted.p);
	n = nearest_to(text);
	for (size_t i = 0; i < count; i++)
		nearest_consider(&n, names[i]);
	for (size_t i = 0; *n.name && i < count; i++)
		if (!strcmp(n.name, names[i]))
			return names[i];
	return NULL;
}

int nearest_refuse(const char *what, struct slice name, const char *const *names, size_t count,
		   struct error *e)
{
	const char *nearest = uwsgi_nearest(name, names, count);

	return uwsgi_error_set(
		e, "there is no %s %.*s%s%s%s", what, (int)(name.n < 64 ? name.n : 64), name.p,
		nearest ? "; did you mean \"" : "", nearest ? nearest : "", nearest ? "\"?" : "");
}
