/* SPDX-License-Identifier: MIT */
/* record.h: FastCGI records and name-value pairs (FastCGI Specification, sections 3.3, 3.4). */
#ifndef RECORD_H
#define RECORD_H

#include <uwsgi/plugin.h>

enum {
	RECORD_VERSION = 1,
	RECORD_HEADER = 8,
	RECORD_MOST = 65528, /* of content; the largest that keeps records aligned */
};

enum record_type {
	RECORD_BEGIN_REQUEST = 1,
	RECORD_ABORT_REQUEST = 2,
	RECORD_END_REQUEST = 3,
	RECORD_PARAMS = 4,
	RECORD_STDIN = 5,
	RECORD_STDOUT = 6,
	RECORD_GET_VALUES = 9,
	RECORD_GET_VALUES_RESULT = 10,
	RECORD_UNKNOWN_TYPE = 11,
};

/* Section 5.5. */
enum record_protocol_status {
	RECORD_REQUEST_COMPLETE = 0,
	RECORD_CANT_MPX_CONN = 1,
	RECORD_UNKNOWN_ROLE = 3,
};

struct record {
	uint8_t version, type;
	uint16_t id;
	size_t content, padding; /* bytes behind the header */
};

/* in holds at least RECORD_HEADER bytes. */
struct record record_read(struct slice in);
void record_write(char to[RECORD_HEADER], enum record_type, uint16_t id, size_t content);

/* The next pair; *rest goes behind it.  1: there is one, 0: the end, -1: a length reaches past
 * the end. */
int record_next_pair(struct slice *rest, struct slice *name, struct slice *value);

#endif
