/* SPDX-License-Identifier: MIT */
/* address.c: text to socket address and back.  Used by listeners and for peers; opens nothing. */
#include "base/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#define EXPECTED "expected host:port, :port, [ipv6]:port, /path or @abstract"

static int parse_unix(struct address *a, const char *text, struct error *e)
{
	struct sockaddr_un *un = (struct sockaddr_un *)&a->sa;
	bool abstract = *text == '@';
	size_t n = strlen(text);

	if (n == (abstract ? 1u : 0u))
		return uwsgi_error_set(e, "empty address; " EXPECTED);
	if (n >= sizeof un->sun_path)
		return uwsgi_error_set(e,
				       "a UNIX socket's path has at most %zu bytes, this has %zu",
				       sizeof un->sun_path - 1, n);
	un->sun_family = AF_UNIX;
	memcpy(un->sun_path, text, n + 1);
	if (abstract)
		un->sun_path[0] = '\0';
	a->has_path = !abstract;
	/* An abstract name is all the bytes of its length: no zero at the end. */
	a->length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n + (abstract ? 0 : 1));
	return 0;
}

static int parse_port(const char *port, in_port_t *out, struct error *e)
{
	char *end;

	while (*port == ' ')
		port++;
	errno = 0;
	long n = strtol(port, &end, 10);
	if (end == port || *end || errno || n < 0 || n > 65535)
		return uwsgi_error_set(e, "the port must be a number from 0 to 65535; " EXPECTED);
	*out = htons((uint16_t)n);
	return 0;
}

static int resolve(struct address *a, const char *host, in_port_t port, struct error *e)
{
	struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM }, *found;
	int failed = getaddrinfo(host, NULL, &hints, &found);

	if (failed)
		return uwsgi_error_set(e, "host %s: %s", host, gai_strerror(failed));
	/* IPv4 where there is one, as uWSGI: who connects to localhost often means 127.0.0.1, and
	 * the resolver gives ::1 first. */
	const struct addrinfo *chosen = found;
	while (chosen && chosen->ai_family != AF_INET)
		chosen = chosen->ai_next;
	if (!chosen)
		chosen = found;
	memcpy(&a->sa, chosen->ai_addr, chosen->ai_addrlen);
	a->length = chosen->ai_addrlen;
	freeaddrinfo(found);
	if (a->sa.ss_family == AF_INET6)
		((struct sockaddr_in6 *)&a->sa)->sin6_port = port;
	else
		((struct sockaddr_in *)&a->sa)->sin_port = port;
	return 0;
}

static int parse_inet(struct address *a, const char *text, const char *colon, struct error *e)
{
	size_t n = (size_t)(colon - text);
	char host[256];
	in_port_t port = 0;

	if (n >= sizeof host)
		return uwsgi_error_set(e, "the host name is too long");
	memcpy(host, text, n);
	host[n] = '\0';
	if (parse_port(colon + 1, &port, e))
		return -1;
	if (n == 0 || !strcmp(host, "*") || !strcmp(host, "0.0.0.0")) {
		struct sockaddr_in *in = (struct sockaddr_in *)&a->sa;

		in->sin_family = AF_INET;
		in->sin_port = port;
		a->length = sizeof *in;
		return 0;
	}
	if (host[0] == '[' && host[n - 1] == ']') {
		host[n - 1] = '\0';
		struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&a->sa;

		in6->sin6_family = AF_INET6;
		in6->sin6_port = port;
		a->length = sizeof *in6;
		if (inet_pton(AF_INET6, host + 1, &in6->sin6_addr) != 1)
			return uwsgi_error_set(e, "not an IPv6 address");
		return 0;
	}
	return resolve(a, host, port, e);
}

int address_parse(struct address *a, const char *text, struct error *e)
{
	memset(a, 0, sizeof *a);
	if (!strncmp(text, "unix:", 5))
		text += 5;
	const char *colon = strrchr(text, ':');

	if (*text == '/' || *text == '@' || *text == '.' || !colon)
		return parse_unix(a, text, e);
	return parse_inet(a, text, colon, e);
}

int uwsgi_address(const char *text, struct sockaddr *sa, size_t *length, struct error *e)
{
	struct address a;

	if (address_parse(&a, text, e))
		return -1;
	if (sa) {
		memcpy(sa, &a.sa, sizeof a.sa);
		*length = a.length;
	}
	return 0;
}

bool address_is_shared(const char *text)
{
	return text[0] == '=' && text[1] >= '0' && text[1] <= '9';
}

bool address_equal(const struct address *a, const struct address *b)
{
	return a->length == b->length && !memcmp(&a->sa, &b->sa, a->length);
}

const char *address_path(const struct address *a)
{
	return a->has_path ? ((const struct sockaddr_un *)&a->sa)->sun_path : NULL;
}

static void set_endpoint(struct address_text *t)
{
	t->endpoint.address = (struct slice){ t->address, strlen(t->address) };
	t->endpoint.port = (struct slice){ t->port, strlen(t->port) };
}

void address_to_text(const struct sockaddr *sa, socklen_t length, struct address_text *t)
{
	unsigned port = 0;

	t->address[0] = t->port[0] = '\0';
	if (sa->sa_family == AF_INET) {
		const struct sockaddr_in *in = (const struct sockaddr_in *)sa;

		inet_ntop(AF_INET, &in->sin_addr, t->address, sizeof t->address);
		port = ntohs(in->sin_port);
	} else if (sa->sa_family == AF_INET6) {
		const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)sa;

		/* A peer that came over IPv4 to a dual-stack socket is shown as what it is. */
		if (IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr))
			inet_ntop(AF_INET, &in6->sin6_addr.s6_addr[12], t->address,
				  sizeof t->address);
		else
			inet_ntop(AF_INET6, &in6->sin6_addr, t->address, sizeof t->address);
		port = ntohs(in6->sin6_port);
	} else if (sa->sa_family == AF_UNIX && length > offsetof(struct sockaddr_un, sun_path)) {
		const struct sockaddr_un *un = (const struct sockaddr_un *)sa;
		size_t n = length - offsetof(struct sockaddr_un, sun_path);
		bool abstract = un->sun_path[0] == '\0';

		snprintf(t->address, sizeof t->address, "%s%.*s", abstract ? "@" : "",
			 (int)(n - abstract), un->sun_path + abstract);
	}
	if (sa->sa_family == AF_INET || sa->sa_family == AF_INET6)
		snprintf(t->port, sizeof t->port, "%u", port & 0xffffu);
	set_endpoint(t);
}
