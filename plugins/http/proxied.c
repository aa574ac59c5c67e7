/* SPDX-License-Identifier: MIT */
/* proxied.c: the line or block with which a proxy says whom it speaks for, before the first
 * request of a connection: the PROXY protocol, versions 1 and 2, as HAProxy documents it.  Only
 * looked for where the configuration says that a proxy is there. */
#include "http.h"

#include <arpa/inet.h>
#include <stdio.h>

/* The longest line of version 1, with its end. */
enum { LINE_MAX_1 = 107, HEAD_2 = 16, BLOCK_MAX_2 = 4096 };

static const char signature[12] = "\r\n\r\n\0\r\nQUIT\n";

static bool begins(struct slice in, const char *with, size_t n)
{
	return memcmp(in.p, with, in.n < n ? in.n : n) == 0;
}

static void set_peer(struct http_proxied *p, int family, const void *address, unsigned port)
{
	p->family = (unsigned char)family;
	p->port = (uint16_t)port;
	memcpy(p->address, address, family == AF_INET ? 4 : 16);
}

bool http_find_peer(const struct http_proxied *p, struct request *rq, struct endpoint *peer)
{
	enum { ADDRESS = INET6_ADDRSTRLEN, PORT = 6 };

	*peer = *uwsgi_request_peer(rq);
	if (!p->family)
		return true;
	uwsgi_request_knows_client(rq);
	char *text = uwsgi_request_alloc(rq, ADDRESS + PORT);
	if (!text || !inet_ntop(p->family, p->address, text, ADDRESS))
		return false;
	snprintf(text + ADDRESS, PORT, "%u", p->port);
	peer->address = (struct slice){ text, strlen(text) };
	peer->port = (struct slice){ text + ADDRESS, strlen(text + ADDRESS) };
	return true;
}

/* Printable, so that no other white space stands between the words. */
static bool is_plain(const char *line)
{
	for (; *line; line++)
		if (*line < ' ' || *line > '~')
			return false;
	return true;
}

/* "PROXY TCP4 source destination port port"; of UNKNOWN nothing is told. */
static bool read_words(const char *line, struct http_proxied *p)
{
	char kind[8], source[46], destination[46];
	unsigned char address[16];
	unsigned from, to;
	int end = 0;

	if (sscanf(line, "PROXY %7s", kind) == 1 && !strcmp(kind, "UNKNOWN"))
		return true;
	if (sscanf(line, "PROXY %7s %45s %45s %5u %5u%n", kind, source, destination, &from, &to,
		   &end) != 5 ||
	    line[end] || from > 65535 || to > 65535)
		return false;
	int family = !strcmp(kind, "TCP4") ? AF_INET : !strcmp(kind, "TCP6") ? AF_INET6 : 0;
	if (!family || inet_pton(family, source, address) != 1)
		return false;
	set_peer(p, family, address, from);
	return true;
}

static enum parsed read_line(struct slice in, struct http_proxied *p, size_t *used)
{
	size_t most = in.n < LINE_MAX_1 ? in.n : LINE_MAX_1;
	const char *lf = memchr(in.p, '\n', most);
	char line[LINE_MAX_1 + 1];

	if (!lf)
		return in.n < LINE_MAX_1 ? PARSE_MORE : PARSE_BAD;
	size_t n = (size_t)(lf - in.p);
	if (n < 8 || in.p[n - 1] != '\r' || memchr(in.p, '\0', n))
		return PARSE_BAD;
	memcpy(line, in.p, n - 1);
	line[n - 1] = '\0';
	if (!is_plain(line) || !read_words(line, p))
		return PARSE_BAD;
	*used = n + 1;
	return PARSE_DONE;
}

static unsigned word(const char *p)
{
	return (unsigned)(unsigned char)p[0] << 8 | (unsigned char)p[1];
}

static enum parsed read_block(struct slice in, struct http_proxied *p, size_t *used)
{
	if (in.n < HEAD_2)
		return PARSE_MORE;
	unsigned version = (unsigned char)in.p[12] >> 4, command = in.p[12] & 0xf;
	unsigned family = (unsigned char)in.p[13];
	size_t length = word(in.p + 14);

	if (version != 2 || command > 1 || length > BLOCK_MAX_2)
		return PARSE_BAD;
	if (in.n < HEAD_2 + length)
		return PARSE_MORE;
	*used = HEAD_2 + length;
	/* A health check of the proxy's own speaks for nobody. */
	if (command == 0)
		return PARSE_DONE;
	if (family == 0x11 && length >= 12)
		set_peer(p, AF_INET, in.p + 16, word(in.p + 24));
	else if (family == 0x21 && length >= 36)
		set_peer(p, AF_INET6, in.p + 16, word(in.p + 48));
	return PARSE_DONE;
}

enum parsed http_read_proxied(struct slice in, struct http_proxied *p, size_t *used)
{
	if (in.n == 0)
		return PARSE_MORE;
	if (begins(in, signature, sizeof signature))
		return in.n < sizeof signature ? PARSE_MORE : read_block(in, p, used);
	if (begins(in, "PROXY ", 6))
		return read_line(in, p, used);
	return PARSE_BAD;
}
