/* SPDX-License-Identifier: MIT */
/* constant.c: an application runner outside the tree: it answers every request with one text, and
 * gives the body of a POST back. */
#include <uwsgi/plugin.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct settings {
	const char *text;
};

static const struct option rows[] = {
	{ .name = "constant-text",
	  .type = OPT_STRING,
	  .offset = offsetof(struct settings, text),
	  .text = true,
	  .unit = "TEXT",
	  .help = "answer every request with this text",
	  .example = "closed for today" },
};

static const struct option_table options = {
	.module = "constant",
	.size = sizeof(struct settings),
	.rows = rows,
	.count = sizeof rows / sizeof *rows,
};

/* The process serves one configuration, and each lane keeps what it needs of it. */
static const struct settings *settings;

static bool wants(const struct config *cfg)
{
	const struct settings *s = uwsgi_options(cfg, &options);

	return s->text != NULL;
}

static int init(const struct config *cfg, const struct worker_info *info, struct error *e)
{
	(void)info;
	settings = uwsgi_options(cfg, &options);
	return settings->text ? 0 : uwsgi_error_set(e, "constant-text is missing");
}

/* A block that is lent: it comes back to release() when it is sent. */
static void lend_body(struct request *rq, struct response *rs)
{
	struct body_view body = uwsgi_request_body_view(rq);
	char *copy = malloc((size_t)body.length + 1);
	ssize_t n = 0;

	if (copy && body.fd < 0)
		memcpy(copy, body.bytes.p, n = (ssize_t)body.bytes.n);
	else if (copy)
		n = pread(body.fd, copy, (size_t)body.length, 0);
	if (!copy || n != body.length) {
		free(copy);
		uwsgi_response_fail(rs, SLICE("the body cannot be read"));
		return;
	}
	uwsgi_response_body(rs, (struct slice){ copy, (size_t)n }, copy);
	uwsgi_response_end(rs);
}

static void handle(void *state, struct request *rq, struct response *rs)
{
	struct slice method = uwsgi_request_find(rq, SLICE("REQUEST_METHOD"));

	(void)state;
	uwsgi_response_start(rs, SLICE("200 OK"));
	uwsgi_response_header(rs, SLICE("Content-Type"), SLICE("text/plain"));
	if (method.n == 4 && !memcmp(method.p, "POST", 4)) {
		lend_body(rq, rs);
		return;
	}
	uwsgi_response_body(rs, (struct slice){ settings->text, strlen(settings->text) }, NULL);
	uwsgi_response_end(rs);
}

static void release(void *state, void *const *owners, size_t count)
{
	(void)state;
	for (size_t i = 0; i < count; i++)
		free(owners[i]);
}

static const struct app app = {
	.name = "constant",
	.wants = wants,
	.init = init,
	.handle = handle,
	.release = release,
};

UWSGI_API const struct plugin uwsgi_plugin = {
	.abi = UWSGI_ABI,
	.name = "constant",
	.options = &options,
	.app = &app,
};
