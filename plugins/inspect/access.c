/* SPDX-License-Identifier: MIT */
/* access.c: who may ask.  A browser on this machine can reach loopback, too, and runs pages of
 * strangers: by the name that they give this address (DNS rebinding), and by requests that they have the
 * browser send here.  So the Host and the Origin of a request are looked at, besides the password. */
#include "inspect.h"

#include "http/head.h"

#include <arpa/inet.h>
#include <strings.h>

/* ---- names ---- */

static bool is_address(struct slice host)
{
	char text[INET6_ADDRSTRLEN];
	unsigned char address[16];
	bool six = host.n > 2 && host.p[0] == '[' && host.p[host.n - 1] == ']';

	if (six)
		host = (struct slice){ host.p + 1, host.n - 2 };
	if (host.n >= sizeof text)
		return false;
	memcpy(text, host.p, host.n);
	text[host.n] = '\0';
	return inet_pton(six ? AF_INET6 : AF_INET, text, address) == 1;
}

bool access_host(struct slice host, const struct option_list *more)
{
	if (is_address(host) || uwsgi_same_name(host, SLICE("localhost")))
		return true;
	for (size_t i = 0; i < more->count; i++)
		if (uwsgi_same_name(host, (struct slice){ more->items[i], strlen(more->items[i]) }))
			return true;
	return false;
}

bool access_origin(struct slice origin, struct slice host)
{
	size_t n = origin.n > 8 && !memcmp(origin.p, "https://", 8)  ? 8
		   : origin.n > 7 && !memcmp(origin.p, "http://", 7) ? 7
								     : 0;

	return n && uwsgi_same_name((struct slice){ origin.p + n, origin.n - n }, host);
}

/* ---- requests ---- */

/* The field's value; *count: how often it is there. */
static struct slice field(const struct http_head *head, struct slice name, size_t *count)
{
	struct slice value = { NULL, 0 };

	*count = 0;
	for (size_t i = 0; i < head->count; i++) {
		if (!uwsgi_same_name(head->fields[i].name, name))
			continue;
		value = head->fields[i].value;
		++*count;
	}
	return value;
}

/* What a page elsewhere has the browser ask for (Fetch Metadata, section 2).  To follow a link to the
 * page is no harm; to follow one to /profile would be, again and again. */
static bool is_from_elsewhere(const struct http_head *head, const struct route *route)
{
	size_t sites, modes;
	struct slice site = field(head, SLICE("Sec-Fetch-Site"), &sites);
	struct slice mode = field(head, SLICE("Sec-Fetch-Mode"), &modes);
	bool ours = uwsgi_same(site, SLICE("same-origin")) || uwsgi_same(site, SLICE("none"));

	return sites > 0 && !ours &&
	       !(route && route->is_page && uwsgi_same(mode, SLICE("navigate")));
}

static struct verdict refuse(int status, const char *why)
{
	return (struct verdict){ .status = status, .why = why };
}

static struct verdict judge_password(const struct settings *s, const struct http_head *head)
{
	size_t count;
	struct slice said = field(head, SLICE("Authorization"), &count);
	struct verdict v = refuse(401, "a name and a password are needed here");

	if (count == 1 && password_fits(s->password_file, said))
		return (struct verdict){ .known = true };
	v.guessed = count > 0;
	return v;
}

struct verdict access_judge(const struct settings *s, enum visitor visitor,
			    const struct route *route, const struct http_head *head,
			    const struct http_meaning *meaning)
{
	size_t origins;
	struct slice origin = field(head, SLICE("Origin"), &origins);
	struct verdict v = { .known = visitor == VISITOR_UNIX };

	if (meaning->has_host && !access_host(meaning->host.host, &s->hosts))
		return refuse(421, "the Host of this request is neither an address nor localhost; "
				   "other names are given by inspect-host");
	if (origins > 1 || (origins && !access_origin(origin, meaning->host.whole)) ||
	    is_from_elsewhere(head, route))
		return refuse(403, "this request comes from a page of another origin");
	if (visitor == VISITOR_ANYBODY && s->password_file)
		v = judge_password(s, head);
	if (v.status || !route || !route->takes_post)
		return v;
	if (!origins)
		return refuse(403, "a POST needs the header Origin");
	return v.known ? v
		       : refuse(403, "a POST needs a UNIX socket, or a password "
				     "(inspect-password-file)");
}
