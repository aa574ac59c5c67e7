/* SPDX-License-Identifier: MIT */
/* counts.h: struct counts of plugin.h in memory that others read meanwhile.  Each number has one writer;
 * readers take it as it is. */
#ifndef UWSGI_COUNTS_H
#define UWSGI_COUNTS_H

#include <uwsgi/plugin.h>

static inline unsigned long long counts_get(const unsigned long long *from)
{
	return __atomic_load_n(from, __ATOMIC_RELAXED);
}

/* One instruction, where an atomic load and store would be three: no machine tears a number of 64 bits, and
 * its readers are other processes. */
static inline void counts_add(unsigned long long *to, unsigned long long n)
{
	*to += n;
}

static inline void counts_took(struct histogram *h, unsigned long long us)
{
	counts_add(&h->bucket[uwsgi_bucket(us)], 1);
	counts_add(&h->sum_us, us);
}

/* All of `from` is added to `to`, which has this one writer. */
void counts_add_all(struct counts *to, const struct counts *from);

#endif
