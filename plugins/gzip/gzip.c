/* SPDX-License-Identifier: MIT */
/* gzip.c: compresses answers on their way to the protocol, whoever gives them.  It stands before all
 * other handlers, since what they put in the place of an answer, or say of it, comes first. */
#include "gzip.h"

#include <stdlib.h>

/* Of a lane whose application answers side by side; those beyond are not compressed. */
enum { COMPRESSORS_MAX = 64 };

struct lane {
	const struct gzip_settings *settings;
	struct compressor *spare; /* for the next answer */
	unsigned in_use;
};

struct visit {
	struct request *rq;
	struct compressor *compressor; /* NULL: the answer stays as it is */
};

/* ---- compressors of a lane ---- */

static struct compressor *take(struct lane *lane)
{
	struct compressor *c = lane->spare;

	if (lane->in_use == COMPRESSORS_MAX)
		return NULL;
	if (c)
		compressor_reset(c);
	else
		c = compressor_new((int)lane->settings->level);
	lane->spare = NULL;
	lane->in_use += c != NULL;
	return c;
}

static void give_back(struct lane *lane, struct compressor *c)
{
	lane->in_use--;
	if (lane->spare)
		compressor_free(c);
	else
		lane->spare = c;
}

/* ---- the head ---- */

static bool has(const struct response *rs, struct slice name)
{
	return uwsgi_response_find(rs, name).p;
}

static enum policy judge(const struct lane *lane, const struct visit *v, const struct response *rs)
{
	const struct answer answer = {
		.status = uwsgi_response_status(rs),
		.length = uwsgi_number(uwsgi_response_find(rs, SLICE("Content-Length"))),
		.type = uwsgi_response_find(rs, SLICE("Content-Type")),
		.encoding = uwsgi_response_find(rs, SLICE("Content-Encoding")),
		.asked = uwsgi_response_find(rs, SLICE("uWSGI-Encoding")),
		.cache_control = uwsgi_response_find(rs, SLICE("Cache-Control")),
		.is_exact = has(rs, SLICE("Content-Range")) || has(rs, SLICE("Content-Digest")) ||
			    has(rs, SLICE("Content-MD5")),
		.is_elsewhere = has(rs, SLICE("X-Accel-Redirect")) || has(rs, SLICE("X-Sendfile")),
		.accepts = uwsgi_request_find(v->rq, SLICE("HTTP_ACCEPT_ENCODING")),
	};

	return policy_of(lane->settings, &answer);
}

/* RFC 9110 section 8.8.1: what is strong is byte for byte the same. */
static void weaken_etag(struct request *rq, struct response *rs)
{
	struct slice etag = uwsgi_response_find(rs, SLICE("ETag"));
	char *weak = etag.n && *etag.p == '"' ? uwsgi_request_alloc(rq, etag.n + 2) : NULL;

	if (!weak)
		return;
	memcpy(weak, "W/", 2);
	memcpy(weak + 2, etag.p, etag.n);
	uwsgi_response_set(rs, SLICE("ETag"), (struct slice){ weak, etag.n + 2 });
}

static bool names_weak_etag(const struct request *rq)
{
	struct slice field = uwsgi_request_find(rq, SLICE("HTTP_IF_NONE_MATCH"));

	return field.n > 2 && memmem(field.p, field.n, "W/", 2);
}

static void say_compressed(struct request *rq, struct response *rs)
{
	uwsgi_response_set(rs, SLICE("Content-Encoding"), SLICE("gzip"));
	uwsgi_response_set(rs, SLICE("Accept-Ranges"), (struct slice){ NULL, 0 });
	weaken_etag(rq, rs);
	uwsgi_response_any_length(rs);
}

static void head(void *state, struct response *rs, void **mine)
{
	struct lane *lane = state;
	struct visit *v = *mine;

	if (!v)
		return;
	enum policy policy = judge(lane, v, rs);
	bool unchanged = lane->settings->on && uwsgi_response_status(rs) == 304;

	uwsgi_response_set(rs, SLICE("uWSGI-Encoding"), (struct slice){ NULL, 0 });
	/* It says what the answer would have said (RFC 9110 section 15.4.5); its type is not known. */
	if (unchanged && names_weak_etag(v->rq))
		weaken_etag(v->rq, rs);
	if ((policy != LEAVE || unchanged) &&
	    !list_has(uwsgi_response_find(rs, SLICE("Vary")), SLICE("Accept-Encoding")))
		uwsgi_response_add(rs, SLICE("Vary"), SLICE("Accept-Encoding"));
	if (policy == COMPRESS)
		v->compressor = take(lane);
	if (v->compressor)
		say_compressed(v->rq, rs);
}

/* ---- the rest ---- */

static enum handled before(void *state, struct request *rq, struct response *rs, void **mine)
{
	struct visit *v = (struct visit *)uwsgi_request_alloc(rq, sizeof *v);

	(void)state;
	(void)rs;
	if (v)
		*v = (struct visit){ .rq = rq };
	*mine = v;
	return HANDLED_NOT;
}

static void body(void *state, struct next *next, const struct piece *piece, void *mine)
{
	const struct visit *v = mine;

	(void)state;
	if (v && v->compressor)
		compressor_write(v->compressor, next, piece);
	else
		uwsgi_next_piece(next, piece);
}

static void flush(void *state, struct next *next, void *mine)
{
	const struct visit *v = mine;

	(void)state;
	if (v && v->compressor)
		compressor_flush(v->compressor, next);
}

static void end(void *state, struct next *next, bool complete, void *mine)
{
	struct visit *v = mine;

	if (!v || !v->compressor)
		return;
	if (complete)
		compressor_finish(v->compressor, next);
	else
		compressor_flush(v->compressor, next);
	give_back(state, v->compressor);
	v->compressor = NULL;
}

/* ---- life ---- */

static bool wants(const struct config *cfg)
{
	const struct gzip_settings *s = uwsgi_options(cfg, &gzip_options);

	/* A rule asks by saying uWSGI-Encoding of the answer. */
	return s->on || s->asks || uwsgi_config_has_action(cfg, SLICE("gzip"));
}

static int lane_start(const struct handler_lane *at, void **state, struct error *e)
{
	struct lane *lane = calloc(1, sizeof *lane);

	*state = lane;
	if (!lane)
		return uwsgi_error_set(e, "out of memory");
	lane->settings = uwsgi_options(at->config, &gzip_options);
	return 0;
}

static void lane_stop(void *state)
{
	struct lane *lane = state;

	if (!lane)
		return;
	compressor_free(lane->spare);
	free(lane);
}

static const struct handler handler = {
	.name = "gzip",
	.order = 5,
	.wants = wants,
	.lane_start = lane_start,
	.lane_stop = lane_stop,
	.before = before,
	.head = head,
	.body = body,
	.flush = flush,
	.end = end,
};

UWSGI_API const struct plugin uwsgi_plugin = {
	.abi = UWSGI_ABI,
	.name = "gzip",
	.options = &gzip_options,
	.handler = &handler,
};
