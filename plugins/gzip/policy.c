/* SPDX-License-Identifier: MIT */
/* policy.c: which answers are compressed, and for whom. */
#include "gzip.h"

bool list_has(struct slice list, struct slice word)
{
	for (size_t i = 0; i + word.n <= list.n; i++) {
		bool begins = i == 0 || list.p[i - 1] == ',' || list.p[i - 1] == ' ';
		size_t end = i + word.n;
		bool ends = end == list.n || list.p[end] == ',' || list.p[end] == ' ';

		if (begins && ends && uwsgi_same_name((struct slice){ list.p + i, word.n }, word))
			return true;
	}
	return false;
}

/* Its body is what it is, or there is none (RFC 9110 sections 6.4.1, 8.4 and 15.3.7; RFC 9111 section
 * 5.2.2.6; RFC 9530). */
static bool is_fixed(const struct answer *a)
{
	return a->status / 100 == 1 || a->status == 204 || a->status == 206 || a->status == 304 ||
	       a->encoding.p || a->is_exact || a->is_elsewhere || a->length == 0 ||
	       list_has(a->cache_control, SLICE("no-transform"));
}

static bool is_wanted(const struct gzip_settings *s, const struct answer *a)
{
	if (a->length > s->max_length)
		return false;
	if (uwsgi_same_name(a->asked, SLICE("gzip")))
		return true;
	return s->on && (a->length < 0 || a->length >= s->min_length) && gzip_has_type(s, a->type);
}

/* Who says that something else is better gets that. */
static bool is_accepted(struct slice field)
{
	int compressed = uwsgi_accept_coding(field, SLICE("gzip"));

	return compressed > 0 && compressed >= uwsgi_accept_coding(field, SLICE("identity"));
}

enum policy policy_of(const struct gzip_settings *s, const struct answer *a)
{
	if (is_fixed(a) || !is_wanted(s, a))
		return LEAVE;
	return is_accepted(a->accepts) ? COMPRESS : VARY;
}
