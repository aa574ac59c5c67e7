/* SPDX-License-Identifier: MIT */
/* params.c: the stream of parameters, once all of it is there: puts it together and takes the
 * variables out of it.  Of what they mean, only the body's length and the path are known here.
 * UWSGI_ variables are variables like any other: nothing in this server acts on one. */
#include "fastcgi.h"

#include <string.h>

/* Empty, as web servers send it with a request that has no body, is the same as absent. */
static bool read_length(struct fastcgi *s, struct slice value)
{
	int64_t n = uwsgi_number(value);

	if (value.n == 0)
		return true;
	if (n < 0 || (s->left >= 0 && s->left != n))
		return false;
	s->left = n;
	return true;
}

/* nginx's stock fastcgi_params name a script, not a path; to an application that is mounted at
 * the root, the script's name is the path. */
static bool complete_path(struct request *rq, bool has_path, struct slice script_name)
{
	if (has_path || !script_name.p)
		return true;
	return uwsgi_request_var(rq, SLICE("PATH_INFO"), script_name) &&
	       uwsgi_request_var(rq, SLICE("SCRIPT_NAME"), SLICE(""));
}

static bool read_variables(struct fastcgi *s, struct request *rq, struct slice stream)
{
	struct slice name, value, script_name = { 0 };
	bool has_path = false;
	int got;

	s->left = -1;
	while ((got = record_next_pair(&stream, &name, &value)) > 0) {
		if (uwsgi_same(name, SLICE("CONTENT_LENGTH")) && !read_length(s, value)) {
			uwsgi_request_reject(rq, 400,
					     "CONTENT_LENGTH is not a number, or given twice");
			return false;
		}
		if (uwsgi_same(name, SLICE("SCRIPT_NAME")))
			script_name = value;
		has_path = has_path || uwsgi_same(name, SLICE("PATH_INFO"));
		if (name.n > 0 && !uwsgi_request_var(rq, name, value))
			return false;
	}
	if (got < 0) {
		uwsgi_request_reject(rq, 400,
				     "a length in the FastCGI parameters reaches past their end");
		return false;
	}
	return complete_path(rq, has_path, script_name);
}

/* What the next record of this request adds to the stream; *head goes behind it. */
static bool next_content(const struct fastcgi *s, struct slice *head, struct slice *content)
{
	while (head->n > 0) {
		struct record r = record_read(*head);
		size_t size = RECORD_HEADER + r.content + r.padding;

		*content = (struct slice){ head->p + RECORD_HEADER, r.content };
		head->p += size;
		head->n -= size;
		if (r.type == RECORD_PARAMS && r.id == s->id && r.content > 0)
			return true;
	}
	return false;
}

/* The stream is used in place when one record holds it, as is usual; else it is copied. */
static bool gather(const struct fastcgi *s, struct request *rq, struct slice head,
		   struct slice *stream)
{
	struct slice rest = head, content;
	size_t total = 0;

	*stream = SLICE("");
	while (next_content(s, &rest, &content)) {
		if (total == 0)
			*stream = content;
		total += content.n;
	}
	if (total == stream->n)
		return true;
	char *joined = uwsgi_request_alloc(rq, total);
	if (!joined)
		return false;
	*stream = (struct slice){ joined, total };
	rest = head;
	while (next_content(s, &rest, &content)) {
		memcpy(joined, content.p, content.n);
		joined += content.n;
	}
	return true;
}

bool fastcgi_take_params(struct fastcgi *s, struct request *rq, struct slice head)
{
	struct slice stream;

	return gather(s, rq, head, &stream) && read_variables(s, rq, stream);
}
