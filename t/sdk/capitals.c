/* SPDX-License-Identifier: MIT */
/* capitals.c: a handler outside the tree that filters: it writes bodies in capitals, and each byte
 * only when it has the next one, as a compressor would that waits for more. */
#include <uwsgi/plugin.h>

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct settings {
	bool on;
};

static const struct option rows[] = {
	{ .name = "capitals", .type = OPT_FLAG, .help = "write bodies in capitals" },
};

static const struct option_table options = {
	.module = "capitals",
	.size = sizeof(struct settings),
	.rows = rows,
	.count = sizeof rows / sizeof *rows,
};

static bool wants(const struct config *cfg)
{
	return ((const struct settings *)uwsgi_options(cfg, &options))->on;
}

/* What is held back of one body. */
struct held {
	char byte;
	bool full;
};

static void head(void *state, struct response *rs, void **mine)
{
	struct slice type = uwsgi_response_find(rs, SLICE("content-type"));

	(void)state;
	if (type.n < 5 || memcmp(type.p, "text/", 5))
		return;
	*mine = calloc(1, sizeof(struct held));
	if (*mine)
		uwsgi_response_any_length(rs);
}

static void let_go(struct held *held, struct next *next)
{
	if (held->full)
		uwsgi_next_bytes(next, (struct slice){ &held->byte, 1 });
	held->full = false;
}

static void write_capitals(struct held *held, struct next *next, struct slice bytes)
{
	for (size_t i = 0; i < bytes.n; i++) {
		let_go(held, next);
		held->byte = (char)toupper((unsigned char)bytes.p[i]);
		held->full = true;
	}
}

static void body(void *state, struct next *next, const struct piece *piece, void *mine)
{
	char bytes[4096];

	(void)state;
	if (!mine) {
		uwsgi_next_piece(next, piece);
	} else if (piece->fd < 0) {
		write_capitals(mine, next, piece->bytes);
	} else {
		for (int64_t at = 0, n; at < piece->length; at += n) {
			size_t left = (size_t)(piece->length - at);

			n = pread(piece->fd, bytes, left < sizeof bytes ? left : sizeof bytes,
				  piece->at + at);
			if (n <= 0)
				return;
			write_capitals(mine, next, (struct slice){ bytes, (size_t)n });
		}
	}
}

static void flush(void *state, struct next *next, void *mine)
{
	(void)state;
	if (mine)
		let_go(mine, next);
}

static void end(void *state, struct next *next, bool complete, void *mine)
{
	if (complete)
		flush(state, next, mine);
	free(mine);
}

static const struct handler handler = {
	.name = "capitals",
	.order = 20,
	.wants = wants,
	.head = head,
	.body = body,
	.flush = flush,
	.end = end,
};

UWSGI_API const struct plugin uwsgi_plugin = {
	.abi = UWSGI_ABI,
	.name = "capitals",
	.options = &options,
	.handler = &handler,
};
