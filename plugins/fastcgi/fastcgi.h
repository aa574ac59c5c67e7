/* SPDX-License-Identifier: MIT */
/* fastcgi.h: what the files of the FastCGI plugin share. */
#ifndef FASTCGI_H
#define FASTCGI_H

#include "record.h"

/* One connection's, kept across requests. */
struct fastcgi {
	uint16_t id;               /* of the present request; 0: none has begun */
	bool tcp;                  /* the peer sees a reset */
	bool keep;                 /* FCGI_KEEP_CONN, and nothing came that is not understood */
	bool in_body;              /* the parameters are taken */
	bool last;                 /* the record that ends the body has begun */
	bool is_body;              /* the record under way is of the body, others are read over */
	uint32_t searched;         /* bytes of an incomplete head that are whole records */
	uint32_t content, padding; /* still to come of the record under way */
	int64_t left;              /* of CONTENT_LENGTH; -1: none was given */
};

/* params.c: takes the variables, and CONTENT_LENGTH into `left`, out of head: whole records, the
 * last of them the one that ends the parameters.  False: refused. */
bool fastcgi_take_params(struct fastcgi *, struct request *, struct slice head);

/* manage.c: answers a management record, whose content is whole. */
void fastcgi_manage(const struct record *, struct slice content, struct sendbuf *);

/* frame.c */
void fastcgi_say_end_request(uint16_t id, enum record_protocol_status, struct sendbuf *);
/* struct protocol's head, body and end. */
void fastcgi_say_head(void *state, const struct head *, struct sendbuf *);
void fastcgi_say_body(void *state, const struct piece *, struct sendbuf *);
enum ended fastcgi_say_end(void *state, bool complete, struct sendbuf *);

#endif
