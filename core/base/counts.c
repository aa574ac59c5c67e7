/* SPDX-License-Identifier: MIT */
/* counts.c: sums of what lanes have counted, and what histograms say. */
#include "base/counts.h"

enum { NUMBERS = sizeof(struct counts) / sizeof(unsigned long long) };

void counts_add_all(struct counts *to, const struct counts *from)
{
	unsigned long long *sums = (unsigned long long *)to;
	const unsigned long long *numbers = (const unsigned long long *)from;

	for (size_t i = 0; i < NUMBERS; i++) {
		unsigned long long n = counts_get(&numbers[i]);

		if (n)
			counts_add(&sums[i], n);
	}
}

unsigned long long uwsgi_counts_requests(const struct counts *c)
{
	unsigned long long sum = 0;

	for (size_t i = 0; i < sizeof c->answers / sizeof *c->answers; i++)
		sum += counts_get(&c->answers[i]);
	return sum;
}

unsigned long long uwsgi_histogram_count(const struct histogram *h)
{
	unsigned long long sum = 0;

	for (size_t i = 0; i < UWSGI_BUCKETS; i++)
		sum += h->bucket[i];
	return sum;
}

unsigned long long uwsgi_histogram_quantile_us(const struct histogram *h, double part)
{
	unsigned long long count = uwsgi_histogram_count(h), seen = 0;
	size_t i = 0;

	if (count == 0)
		return 0;
	while (i < UWSGI_BUCKETS - 1 && (double)(seen += h->bucket[i]) < part * (double)count)
		i++;
	return uwsgi_bucket_end_us(i);
}
