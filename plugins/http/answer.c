/* SPDX-License-Identifier: MIT */
/* answer.c: the answer of another server on its way to the client. */
#include "job.h"

#include <errno.h>
#include <stdio.h>

/* Bytes that a client has not taken; beyond, the server waits with the next ones, however few. */
enum { UNSENT_MAX = 65536 };

/* Interim answers to one request; who sends more of them will send them for ever. */
enum { INTERIM_MOST = 8 };

/* A stretch of the buffer.  With `hold` the buffer waits for the client although the bytes are few:
 * others of it are under way. */
static bool pass(struct job *job, struct slice bytes, bool hold)
{
	bool lend = hold || bytes.n > UWSGI_COPY_MAX || uwsgi_response_unsent(job->rs) > UNSENT_MAX;

	job->lent += lend;
	return uwsgi_response_body(job->rs, bytes, lend ? uwsgi_loan(&job->loan) : NULL);
}

/* What is in the buffer, as far as it belongs to a body whose end is known by its length or by the
 * connection's.  MORE: there is more to come; CLOSE: the client is gone. */
static enum parsed pass_plain(struct job *job)
{
	struct slice bytes = { job->buffer + job->begin, job->end - job->begin };
	bool alive = true;

	if (job->left >= 0 && bytes.n > (uint64_t)job->left)
		bytes.n = (size_t)job->left;
	if (bytes.n > 0)
		alive = pass(job, bytes, false);
	if (job->left >= 0)
		job->left -= (int64_t)bytes.n;
	return !alive ? PARSE_CLOSE : job->left == 0 ? PARSE_DONE : PARSE_MORE;
}

/* The same of a chunked body; BAD: it is none.  Many small chunks together keep the server waiting, as
 * one of their size does. */
static enum parsed pass_chunks(struct job *job)
{
	enum parsed parsed = PARSE_MORE;
	size_t passed = 0;

	while (parsed == PARSE_MORE && job->begin < job->end) {
		struct slice in = { job->buffer + job->begin, job->end - job->begin }, data;
		struct http_refusal why;

		parsed = http_next_chunk(&job->chunk, in, &job->begin, &data, &why);
		passed += data.n;
		if (data.n > 0 && !pass(job, data, passed > UWSGI_COPY_MAX && !job->lent))
			parsed = PARSE_CLOSE;
	}
	return parsed;
}

/* Gives what is in the buffer to the response, which may end the job. */
static void pass_on(struct job *job)
{
	enum parsed parsed = job->chunked ? pass_chunks(job) : pass_plain(job);

	job->begin = job->end = 0;
	if (parsed == PARSE_MORE && !uwsgi_response_flush(job->rs))
		parsed = PARSE_CLOSE;
	if (parsed == PARSE_DONE)
		uwsgi_response_end(job_finish(job));
	else if (parsed == PARSE_BAD)
		job_give_up(job, 502, "the chunks of the answer are malformed");
	else if (parsed == PARSE_CLOSE)
		uwsgi_response_refuse(job_finish(job), 502, (struct slice){ 0 });
	else if (job->lent)
		ev_io_stop(job->upstream->loop, &job->io);
}

static void refuse_head(struct job *job, const char *why)
{
	char text[128];

	snprintf(text, sizeof text, "the head of the answer is refused: %s", why);
	job_give_up(job, 502, text);
}

static bool asks_for_head_only(const struct job *job)
{
	return uwsgi_same(uwsgi_request_find(job->rq, SLICE("REQUEST_METHOD")), SLICE("HEAD"));
}

/* The length of the head at the beginning of the buffer; 0: it is not whole.  came: bytes that were
 * not looked at yet. */
static size_t head_length(const struct job *job, size_t came)
{
	size_t seen = job->end - came, from = seen > 3 ? seen - 3 : 0;
	const char *p = job->buffer, *end = memmem(p + from, job->end - from, "\r\n\r\n", 4);

	return end ? (size_t)(end - p) + 4 : 0;
}

/* What is for the connection to the server ends here; workers say such things to the client. */
static void start_response(const struct job *job, const struct reply *a)
{
	bool all = job->upstream->speaks == SPEAKS_WORKER;

	uwsgi_response_start(job->rs, a->line);
	for (size_t i = 0; i < a->head.count; i++) {
		const struct http_field *f = &a->head.fields[i];

		if (all || !reply_is_hop_by_hop(a, f->name))
			uwsgi_response_header(job->rs, f->name, f->value);
	}
}

/* A worker says where each answer ends, also one that has no body. */
static void begin_body(struct job *job, const struct reply *a)
{
	job->phase = BODY;
	job->bodiless = a->status == 204 || a->status == 304;
	job->left = a->length;
	job->chunked = a->chunked && !asks_for_head_only(job);
	job->chunk = (struct http_chunked){ 0 };
	if (job->upstream->speaks != SPEAKS_WORKER && (job->bodiless || asks_for_head_only(job))) {
		job->left = 0;
		job->chunked = false;
	}
}

static void take_head(struct job *job, size_t came);

/* Not the answer yet (RFC 9110 section 15.2). */
static void skip_interim(struct job *job, size_t n, int status)
{
	if (status == 101 || ++job->interim > INTERIM_MOST) {
		refuse_head(job, status == 101 ? "it changes the protocol" : "it is only interim");
		return;
	}
	job->end -= n;
	memmove(job->buffer, job->buffer + n, job->end);
	if (job->end > 0)
		take_head(job, job->end);
}

static void take_head(struct job *job, size_t came)
{
	const struct upstream *u = job->upstream;
	const char *why = "it is larger than 64 KiB";
	size_t n = head_length(job, came);
	struct reply a;

	if (n == 0 && job->end < sizeof job->buffer)
		return;
	if (n == 0 || !reply_read((struct slice){ job->buffer, n }, u->speaks, &a, &why)) {
		refuse_head(job, why);
		return;
	}
	if (u->speaks == SPEAKS_HTTP && a.status / 100 == 1) {
		skip_interim(job, n, a.status);
		return;
	}
	start_response(job, &a);
	begin_body(job, &a);
	job->begin = n;
	if (!u->head || u->head(job))
		pass_on(job);
}

/* The server has closed: in the middle, or as its way to end a body of unknown length, which another
 * server than this one's workers may have. */
static void on_end(struct job *job)
{
	if (job->phase != BODY || job->chunked ||
	    (job->left > 0 && !job->bodiless && !asks_for_head_only(job)))
		job_fail_to_read(job);
	else
		uwsgi_response_end(job_finish(job));
}

void job_read_answer(struct job *job)
{
	ssize_t n = recv(job->io.fd, job->buffer + job->end, sizeof job->buffer - job->end, 0);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n < 0) {
		job_fail_to_read(job);
		return;
	}
	if (n == 0) {
		on_end(job);
		return;
	}
	job->end += (size_t)n;
	if (job->phase == SENDING) {
		job->phase = HEAD;
		job_watch_answer(job);
	}
	job_set_deadline(job, job->upstream->answer_s);
	if (job->phase == BODY)
		pass_on(job);
	else
		take_head(job, (size_t)n);
}
