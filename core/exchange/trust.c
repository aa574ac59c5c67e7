/* SPDX-License-Identifier: MIT */
/* trust.c: its options, taken apart once, and whether an address is one of theirs.  Who the peer of a
 * request is, request.c knows; what it says, those who ask. */
#include "exchange/trust.h"

#include "base/clock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define LOOPBACK "127.0.0.0/8, ::1"
#define SEPARATORS ", \t"
static const char variable[] = "FORWARDED_ALLOW_IPS";

/* IPv4 as IPv6 maps it (RFC 4291 section 2.5.5.2). */
struct network {
	unsigned char address[16];
	unsigned bits;
};

struct trust_settings {
	struct option_list of[TRUST_KINDS];
};

/* ---- reading ---- */

static bool read_address(const char *text, unsigned char address[16], unsigned *most_bits)
{
	static const unsigned char mapped[12] = { [10] = 0xff, [11] = 0xff };

	*most_bits = 32;
	memcpy(address, mapped, sizeof mapped);
	if (inet_pton(AF_INET, text, address + sizeof mapped) == 1)
		return true;
	*most_bits = 128;
	return inet_pton(AF_INET6, text, address) == 1;
}

/* "192.0.2.1", "192.0.2.0/24", "2001:db8::/32", "*". */
static bool read_network(struct slice word, struct network *n)
{
	char text[INET6_ADDRSTRLEN + 5], *end;
	unsigned most_bits;

	if (word.n == 1 && *word.p == '*') {
		*n = (struct network){ .bits = 0 };
		return true;
	}
	if (word.n >= sizeof text)
		return false;
	memcpy(text, word.p, word.n);
	text[word.n] = '\0';
	char *slash = strchr(text, '/');
	if (slash)
		*slash = '\0';
	if (!read_address(text, n->address, &most_bits))
		return false;
	n->bits = 128;
	if (!slash)
		return true;
	unsigned long bits = strtoul(slash + 1, &end, 10);
	n->bits = (unsigned)bits + 128 - most_bits;
	return slash[1] >= '0' && slash[1] <= '9' && !*end && bits <= most_bits;
}

/* The next word of a list, behind which *text goes; empty at its end. */
static struct slice next_word(const char **text)
{
	struct slice word = { *text + strspn(*text, SEPARATORS), 0 };

	word.n = strcspn(word.p, SEPARATORS);
	*text = word.p + word.n;
	return word;
}

static int valid_networks(const char *text, struct error *e)
{
	struct network network;
	struct slice word;

	while ((word = next_word(&text)).n)
		if (!read_network(word, &network))
			return uwsgi_error_set(
				e,
				"%.*s is no address; expected addresses, networks such "
				"as 10.0.0.0/8, or *, with commas between them",
				(int)word.n, word.p);
	return 0;
}

static int add_networks(struct networks *set, const char *text, struct error *e)
{
	struct slice word;

	while ((word = next_word(&text)).n) {
		struct network *grown =
			reallocarray(set->items, set->count + 1, sizeof *set->items);

		if (!grown)
			return uwsgi_error_set(e, "out of memory");
		set->items = grown;
		/* They were checked when the configuration was read. */
		set->count += read_network(word, &grown[set->count]);
	}
	return 0;
}

/* ---- options ---- */

static void check(const struct config *, struct report *);

#define AT(kind) (offsetof(struct trust_settings, of) + (kind) * sizeof(struct option_list))
static const struct option rows[] = {
	{ .name = "forwarded-allow-ips",
	  .type = OPT_LIST,
	  .offset = AT(TRUST_FORWARDED),
	  .unit = "ADDRESSES",
	  .valid = valid_networks,
	  .help = "X-Forwarded-Proto and X-Forwarded-SSL make wsgi.url_scheme https only when they "
		  "come from these addresses and networks (*: from any), or over a UNIX socket; by "
		  "default from those in the environment's FORWARDED_ALLOW_IPS, or else " LOOPBACK,
	  .example = "10.0.0.0/8, 2001:db8::7",
	  .differs = "they are believed whoever sends them" },
	{ .name = "proxy-allow-ips",
	  .type = OPT_LIST,
	  .offset = AT(TRUST_PROXY),
	  .initial = LOOPBACK,
	  .unit = "ADDRESSES",
	  .valid = valid_networks,
	  .help = "with http-enable-proxy-protocol, only peers with these addresses (*: all), and "
		  "those on a UNIX socket, may connect",
	  .example = "10.0.0.0/8",
	  .differs = "any peer may" },
};
#undef AT

const struct option_table trust_options = {
	.module = "trust",
	.size = sizeof(struct trust_settings),
	.rows = rows,
	.count = sizeof rows / sizeof *rows,
	.check = check,
};

/* Whom the environment names, where no option does; NULL: nobody. */
static const char *named_by_environment(const struct trust_settings *s)
{
	return s->of[TRUST_FORWARDED].count ? NULL : getenv(variable);
}

static void check(const struct config *cfg, struct report *report)
{
	const char *text = named_by_environment(uwsgi_options(cfg, &trust_options));
	struct error e;

	if (text && valid_networks(text, &e))
		uwsgi_config_doubt(cfg, report, UWSGI_ERROR, rows[0].name,
				   "%s in the environment: %s", variable, e.text);
}

int trust_init(struct trust *t, const struct config *cfg, struct seldom *untrusted, struct error *e)
{
	const struct trust_settings *s = uwsgi_options(cfg, &trust_options);
	const char *other = named_by_environment(s);

	*t = (struct trust){ .untrusted = untrusted };
	for (int kind = 0; kind < TRUST_KINDS; kind++)
		for (size_t i = 0; i < s->of[kind].count; i++)
			if (add_networks(&t->of[kind], s->of[kind].items[i], e))
				return -1;
	return s->of[TRUST_FORWARDED].count
		       ? 0
		       : add_networks(&t->of[TRUST_FORWARDED], other ? other : LOOPBACK, e);
}

void trust_fini(struct trust *t)
{
	for (int kind = 0; kind < TRUST_KINDS; kind++)
		free(t->of[kind].items);
	*t = (struct trust){ 0 };
}

/* ---- asking ---- */

static bool is_in(const unsigned char address[16], const struct network *n)
{
	unsigned whole = n->bits / 8, rest = n->bits % 8;

	return !memcmp(address, n->address, whole) &&
	       (rest == 0 || (address[whole] ^ n->address[whole]) >> (8 - rest) == 0);
}

bool trust_believes(const struct trust *t, enum trust_kind kind, struct slice text)
{
	unsigned char address[16];
	char copy[INET6_ADDRSTRLEN];
	unsigned unused;

	if (text.n == 0)
		return true;
	if (text.n >= sizeof copy)
		return false;
	memcpy(copy, text.p, text.n);
	copy[text.n] = '\0';
	if (!read_address(copy, address, &unused))
		return false;
	for (size_t i = 0; i < t->of[kind].count; i++)
		if (is_in(address, &t->of[kind].items[i]))
			return true;
	return false;
}

void trust_tell(const struct trust *t, struct slice address)
{
	char text[INET6_ADDRSTRLEN];

	if (seldom_happened(t->untrusted, clock_monotonic_coarse_ms()) == 0)
		return;
	uwsgi_escape(text, sizeof text, address);
	uwsgi_log(
		UWSGI_NOTE,
		"a request from %s says https in X-Forwarded-Proto or X-Forwarded-SSL, and is not "
		"believed: forwarded-allow-ips does not name that address",
		text);
}
