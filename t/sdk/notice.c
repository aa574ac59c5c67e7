/* SPDX-License-Identifier: MIT */
/* notice.c: a handler outside the tree.  It answers one path by itself with a file, and has a page of
 * its own for what is not found. */
#include <uwsgi/plugin.h>

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct settings {
	const char *file, *page;
};

#define AT(member) offsetof(struct settings, member)
static const struct option rows[] = {
	{ .name = "notice-file",
	  .type = OPT_STRING,
	  .offset = AT(file),
	  .unit = "FILE",
	  .help = "what is answered to /notice",
	  .example = "/srv/notice.txt" },
	{ .name = "notice-page",
	  .type = OPT_STRING,
	  .offset = AT(page),
	  .unit = "TEXT",
	  .help = "the page for 404",
	  .example = "not here" },
};

static const struct option_table options = {
	.module = "notice", .size = sizeof(struct settings), .rows = rows, .count = 2
};

static bool wants(const struct config *cfg)
{
	const struct settings *s = uwsgi_options(cfg, &options);

	return s->file || s->page;
}

static int lane_start(const struct handler_lane *lane, void **state, struct error *e)
{
	(void)e;
	*state = (void *)uwsgi_options(lane->config, &options);
	return 0;
}

/* An open file that is lent. */
struct opened {
	struct loan loan; /* first: the loan's address is this one's */
	int fd;
};

static void close_opened(struct loan *loan)
{
	struct opened *o = (struct opened *)loan;

	close(o->fd);
	free(o);
}

static enum handled before(void *state, struct request *rq, struct response *rs, void **mine)
{
	const struct settings *s = state;
	struct slice path = uwsgi_request_find(rq, SLICE("PATH_INFO"));

	(void)mine;
	if (!s->file || path.n != 7 || memcmp(path.p, "/notice", 7))
		return HANDLED_NOT;
	struct opened *o = malloc(sizeof *o);
	int fd = o ? open(s->file, O_RDONLY | O_CLOEXEC) : -1;

	if (fd < 0) {
		free(o);
		uwsgi_response_refuse(rs, 404, SLICE("there is no notice"));
		return HANDLED_DONE;
	}
	*o = (struct opened){ { close_opened }, fd };
	uwsgi_response_start(rs, SLICE("200 OK"));
	uwsgi_response_file(rs, fd, 0, lseek(fd, 0, SEEK_END), uwsgi_loan(&o->loan));
	uwsgi_response_end(rs);
	return HANDLED_DONE;
}

static void head(void *state, struct response *rs, void **mine)
{
	const struct settings *s = state;

	(void)mine;
	uwsgi_response_set(rs, SLICE("X-Notice"), SLICE("seen"));
	if (!s->page || uwsgi_response_status(rs) != 404)
		return;
	const struct slice page = { s->page, strlen(s->page) };
	const struct piece piece = { page, -1, 0, (int64_t)page.n };

	uwsgi_response_set_status(rs, SLICE("410 Gone"));
	uwsgi_response_replace(rs, &piece, NULL);
}

static const struct handler handler = {
	.name = "notice",
	.order = 50,
	.wants = wants,
	.lane_start = lane_start,
	.before = before,
	.head = head,
};

UWSGI_API const struct plugin uwsgi_plugin = {
	.abi = UWSGI_ABI,
	.name = "notice",
	.options = &options,
	.handler = &handler,
};
