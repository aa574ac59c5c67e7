/* SPDX-License-Identifier: MIT */
/* http.h: what the files of the HTTP plugin share: the state of a connection, and the steps
 * from bytes to a request and from a response to bytes (RFC 9110, RFC 9112). */
#ifndef HTTP_H
#define HTTP_H

#include "chunked.h"
#include "head.h"

#include <uwsgi/plugin.h>

#include <string.h>

enum http_phase {
	HTTP_HEAD,   /* between requests, or inside a head that is not whole */
	HTTP_LENGTH, /* a body of known length */
	HTTP_CHUNKED,
};

/* Whom a proxy in front speaks for. */
struct http_proxied {
	bool expected;        /* its line has to come yet */
	unsigned char family; /* AF_INET, AF_INET6; 0: it speaks for itself */
	uint16_t port;
	unsigned char address[16];
};

/* One connection's, kept across requests. */
struct http {
	struct http_proxied proxied;
	enum http_phase phase;
	struct http_search search; /* for the end of an incomplete head */
	struct http_chunked body;  /* of one whose length is known, only `left` is used */
	/* The present request, as the response needs to know it. */
	bool one_request; /* connections are not kept */
	bool version_1_1, keep_alive, refused;
	/* The present response. */
	bool chunking, until_close; /* what ends it; neither: its length does */
};

/* target.c: path is decoded into memory of the request, or a slice of the head. */
bool http_read_target(const struct http_head *, struct request *, struct http_target *,
		      struct http_refusal *);

/* variables.c: makes the request's CGI variables. */
bool http_make_variables(const struct http_head *, const struct http_meaning *,
			 const struct http_target *, const struct endpoint *peer, struct request *);

/* proxied.c: PARSE_MORE, PARSE_DONE or PARSE_BAD; *used is set when it is done. */
enum parsed http_read_proxied(struct slice in, struct http_proxied *, size_t *used);
/* The client as text, in memory of the request; without a proxy the connection's peer. */
bool http_find_peer(const struct http_proxied *, struct request *, struct endpoint *);

/* frame.c: struct protocol's head, body and end. */
void http_say_head(void *state, const struct head *, struct sendbuf *);
void http_say_body(void *state, const struct piece *, struct sendbuf *);
enum ended http_say_end(void *state, bool complete, struct sendbuf *);

#endif
