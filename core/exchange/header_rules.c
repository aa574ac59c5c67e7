/* SPDX-License-Identifier: MIT */
/* header_rules.c: add-header and rem-header, taken apart once; response.c applies them to each
 * head before it is said. */
#include "exchange/header_rules.h"

#include "base/slice.h"

#include <stdlib.h>
#include <string.h>

struct header_settings {
	struct option_list add, remove;
};

static struct slice trimmed(const char *p, size_t n)
{
	while (n > 0 && (*p == ' ' || *p == '\t')) {
		p++;
		n--;
	}
	while (n > 0 && (p[n - 1] == ' ' || p[n - 1] == '\t'))
		n--;
	return (struct slice){ p, n };
}

static bool is_name(struct slice s)
{
	static const char allowed[] = "!#$%&'*+-.^_`|~0123456789"
				      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

	for (size_t i = 0; i < s.n; i++)
		if (!strchr(allowed, s.p[i]))
			return false;
	return s.n > 0;
}

static bool take_apart(const char *text, struct header *h)
{
	const char *colon = strchr(text, ':');

	if (!colon)
		return false;
	h->name = trimmed(text, (size_t)(colon - text));
	h->value = trimmed(colon + 1, strlen(colon + 1));
	return is_name(h->name);
}

/* RFC 9110 section 5.5.  JSON and @(file) can bring line ends, which would begin another header. */
static bool is_value(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if (((unsigned char)s.p[i] < ' ' && s.p[i] != '\t') || s.p[i] == '\x7f')
			return false;
	return true;
}

static int valid_header(const char *text, struct error *e)
{
	struct header h;

	if (!take_apart(text, &h))
		return uwsgi_error_set(e, "expected Name: value");
	if (!is_value(h.value))
		return uwsgi_error_set(e, "a header has one line, without control characters");
	if (uwsgi_same_name(h.name, SLICE("content-length")) ||
	    uwsgi_same_name(h.name, SLICE("transfer-encoding")))
		return uwsgi_error_set(e, "says where each response ends, and is the server's");
	return 0;
}

static int valid_name(const char *text, struct error *e)
{
	return is_name(trimmed(text, strlen(text)))
		       ? 0
		       : uwsgi_error_set(e, "expected the name of a header");
}

#define AT(member) offsetof(struct header_settings, member)
static const struct option rows[] = {
	{ .name = "add-header",
	  .type = OPT_LIST,
	  .offset = AT(add),
	  .unit = "NAME: VALUE",
	  .text = true,
	  .valid = valid_header,
	  .help = "add this header to every response",
	  .example = "X-Frame-Options: DENY" },
	{ .name = "rem-header",
	  .type = OPT_LIST,
	  .offset = AT(remove),
	  .unit = "NAME",
	  .valid = valid_name,
	  .help = "take this header out of every response",
	  .example = "X-Powered-By" },
	{ .name = "del-header", .same_as = "rem-header" },
};
#undef AT

const struct option_table header_options = {
	.module = "response headers",
	.size = sizeof(struct header_settings),
	.rows = rows,
	.count = sizeof rows / sizeof *rows,
};

int header_rules_init(struct header_rules *r, const struct config *cfg, struct error *e)
{
	const struct header_settings *s = uwsgi_options(cfg, &header_options);

	*r = (struct header_rules){ .remove = &s->remove };
	r->add = calloc(s->add.count ? s->add.count : 1, sizeof *r->add);
	if (!r->add)
		return uwsgi_error_set(e, "out of memory");
	for (size_t i = 0; i < s->add.count; i++) {
		struct header *h = &r->add[r->add_count];

		if (!take_apart(s->add.items[i], h))
			continue;
		if (uwsgi_same_name(h->name, SLICE("connection")))
			r->close = uwsgi_same_name(h->value, SLICE("close"));
		else
			r->add_count++;
	}
	return 0;
}

void header_rules_fini(struct header_rules *r)
{
	free(r->add);
}

bool header_rules_remove(const struct header_rules *r, struct slice name)
{
	for (size_t i = 0; i < r->remove->count; i++)
		if (uwsgi_same_name(name, slice_of(r->remove->items[i])))
			return true;
	return false;
}
