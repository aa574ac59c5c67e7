/* SPDX-License-Identifier: MIT */
/* records.h: inputs of the FastCGI parser, put together of records. */
#ifndef T_RECORDS_H
#define T_RECORDS_H

#include "record.h"

#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

struct piece_of_input {
	int type, id;
	struct slice content;
	const char *pairs; /* lines NAME=value, written as name-value pairs instead of content */
	uint8_t padding;
};

#define BEGIN(i, flags)                                                                            \
	{                                                                                          \
		.type = RECORD_BEGIN_REQUEST, .id = i, .content = SLICE("\0\1" flags "\0\0\0\0\0") \
	}
#define ABORT(i)                                                                                   \
	{                                                                                          \
		.type = RECORD_ABORT_REQUEST, .id = i                                              \
	}
#define PAIRS(i, lines)                                                                            \
	{                                                                                          \
		.type = RECORD_PARAMS, .id = i, .pairs = lines                                     \
	}
#define PARAMS(i, raw)                                                                             \
	{                                                                                          \
		.type = RECORD_PARAMS, .id = i, .content = SLICE(raw)                              \
	}
#define STDIN(i, raw)                                                                              \
	{                                                                                          \
		.type = RECORD_STDIN, .id = i, .content = SLICE(raw)                               \
	}
#define RAW(raw)                                                                                   \
	{                                                                                          \
		.content = SLICE(raw)                                                              \
	} /* bytes that are no record */
#define KEEP "\1"
#define ONCE "\0"

struct records {
	char bytes[16384];
	size_t n;
};

static inline size_t records_add_pairs(char *to, const char *lines)
{
	size_t at = 0;

	while (*lines) {
		size_t line = strcspn(lines, "\n"), name = strcspn(lines, "=");

		to[at++] = (char)name;
		to[at++] = (char)(line - name - 1);
		memcpy(to + at, lines, name);
		memcpy(to + at + name, lines + name + 1, line - name - 1);
		at += line - 1;
		lines += line + (lines[line] == '\n');
	}
	return at;
}

static inline struct slice records_add(struct records *r, const struct piece_of_input *pieces,
				       size_t count)
{
	char *begin = r->bytes + r->n;

	for (const struct piece_of_input *p = pieces; p < pieces + count; p++) {
		char *to = r->bytes + r->n;
		char *content = to + (p->type ? RECORD_HEADER : 0);
		size_t n = p->content.n;

		if (p->pairs)
			n = records_add_pairs(content, p->pairs);
		else if (n)
			memcpy(content, p->content.p, n);
		if (p->type) {
			record_write(to, (enum record_type)p->type, (uint16_t)p->id, n);
			to[6] = (char)p->padding;
		}
		memset(content + n, 'p', p->padding);
		r->n += (size_t)(content - to) + n + p->padding;
	}
	return (struct slice){ begin, (size_t)(r->bytes + r->n - begin) };
}

#define RECORDS(r, ...)                                                                            \
	records_add(r, (const struct piece_of_input[]){ __VA_ARGS__ },                             \
		    COUNT(((const struct piece_of_input[]){ __VA_ARGS__ })))

#endif
