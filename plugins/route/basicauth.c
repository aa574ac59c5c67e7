/* SPDX-License-Identifier: MIT */
/* basicauth.c: names and passwords of HTTP's Basic scheme (RFC 7617), from the rule itself or from a
 * file of htpasswd's form. */
#include "route.h"

#include <string.h>

/* Behind "realm,". */
static struct slice users_of(struct slice text)
{
	const char *comma = memchr(text.p, ',', text.n);

	return (struct slice){ comma + 1, text.n - (size_t)(comma - text.p) - 1 };
}

/* The next "user:password" of the list; false at its end. */
static bool next_user(struct slice *list, struct slice *user)
{
	const char *comma = memchr(list->p, ',', list->n);
	size_t n = comma ? (size_t)(comma - list->p) : list->n;

	*user = (struct slice){ list->p, n };
	list->p += n + (comma != NULL);
	list->n -= n + (comma != NULL);
	return user->n > 0;
}

int basicauth_check(struct slice text, struct error *e)
{
	const char *comma = memchr(text.p, ',', text.n);
	struct slice users, user;

	if (!comma || comma == text.p || comma - text.p > 128)
		return uwsgi_error_set(e, "expected basicauth:REALM,USER:PASSWORD or "
					  "basicauth:REALM,FILE");
	for (const char *p = text.p; p < comma; p++)
		if ((unsigned char)*p < ' ' || *p == '\x7f' || *p == '"' || *p == '\\')
			return uwsgi_error_set(e, "a realm has no quotes, backslashes and control "
						  "characters");
	users = users_of(text);
	if (!memchr(users.p, ':', users.n))
		return users.n ? passwords_check(users, e) : 0;
	while (next_user(&users, &user))
		if (!memchr(user.p, ':', user.n))
			return uwsgi_error_set(e, "expected USER:PASSWORD, not %.*s", (int)user.n,
					       user.p);
	return 0;
}

static bool is_listed(struct slice users, const char *credentials, size_t n)
{
	struct slice user;
	bool found = false;

	while (next_user(&users, &user))
		found |= is_secret(credentials, n, user.p, user.n);
	return found;
}

enum password basicauth_judge(struct slice text, struct visit *v)
{
	struct slice users = users_of(text);
	char credentials[CREDENTIALS_MAX];
	enum password found;
	size_t n;

	if (!credentials_read(uwsgi_request_find(v->rq, SLICE("HTTP_AUTHORIZATION")), credentials,
			      &n))
		return PASSWORD_WRONG;
	size_t user = (size_t)((char *)memchr(credentials, ':', n) - credentials);

	if (memchr(users.p, ':', users.n))
		found = is_listed(users, credentials, n) ? PASSWORD_RIGHT : PASSWORD_WRONG;
	else
		found = users.n ? passwords_ask(v, users, credentials, user + 1) : PASSWORD_WRONG;
	if (found == PASSWORD_RIGHT)
		uwsgi_request_var(v->rq, SLICE("REMOTE_USER"),
				  visit_copy(v, (struct slice){ credentials, user }));
	explicit_bzero(credentials, sizeof credentials);
	return found;
}

bool basicauth_has_file(struct slice text)
{
	struct slice users = users_of(text);

	return users.n && !memchr(users.p, ':', users.n);
}
