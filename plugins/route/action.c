/* SPDX-License-Identifier: MIT */
/* action.c: what a rule does: "name:argument". */
#include "proxy.h"

#include <stdio.h>
#include <string.h>

enum takes {
	TAKES_NOTHING,
	TAKES_TEXT,
	TAKES_STATUS, /* "403" or "403 Forbidden" */
	TAKES_PAIR,   /* name=value */
	TAKES_HEADER, /* name: value */
	TAKES_NAME,   /* of a header */
	TAKES_LABEL,
	TAKES_USERS,
	TAKES_FILE,
	TAKES_SECONDS,
	TAKES_HTTP, /* the address of a server */
	TAKES_UWSGI,
};

struct action_kind {
	const char *name;
	enum takes takes;
	bool early;            /* it changes the request */
	struct slice variable; /* that it sets */
	enum verdict (*run)(const struct action *, struct visit *);
	const char *instead; /* of uWSGI, and not here: an error where run is NULL; what to do */
};

/* ---- where to go on ---- */

static enum verdict stop(const struct action *a, struct visit *v)
{
	(void)a;
	(void)v;
	return TO_APPLICATION;
}

static enum verdict jump(const struct action *a, struct visit *v)
{
	(void)a;
	(void)v;
	return TO_LABEL;
}

/* ---- answers ---- */

static enum verdict answer(struct visit *v, int status, struct slice line, struct slice body)
{
	v->answer = (struct answer){ .status = status, .line = line, .body = body };
	return ANSWERED;
}

static enum verdict answer_status(const struct action *a, struct visit *v, bool has_body)
{
	const char *reason = uwsgi_reason(a->status);
	struct slice line = a->text;

	if (line.n == 3) {
		char text[64];
		int n = snprintf(text, sizeof text, "%d %s", a->status, reason);

		line = visit_copy(v, (struct slice){ text, (size_t)n });
	}
	return answer(v, a->status, line,
		      has_body ? (struct slice){ reason, strlen(reason) } : SLICE(""));
}

static enum verdict break_off(const struct action *a, struct visit *v)
{
	if (a->status == 0)
		return answer(v, 403, SLICE("403 Forbidden"), SLICE(""));
	return answer_status(a, v, false);
}

static enum verdict give_status(const struct action *a, struct visit *v)
{
	return answer_status(a, v, true);
}

/* RFC 3986: what a URI cannot hold is escaped; a line end would begin a header of its own. */
static struct slice escape_uri(struct visit *v, struct slice uri)
{
	static const char digits[] = "0123456789ABCDEF";
	char *text = uwsgi_request_alloc(v->rq, uri.n * 3 + 1);
	size_t n = 0;

	for (size_t i = 0; text && i < uri.n; i++) {
		unsigned char c = (unsigned char)uri.p[i];

		if (c > ' ' && c < 0x7f && !strchr("\"<>\\^`{|}", c)) {
			text[n++] = (char)c;
			continue;
		}
		text[n++] = '%';
		text[n++] = digits[c >> 4];
		text[n++] = digits[c & 15];
	}
	return (struct slice){ text ? text : "", n };
}

static enum verdict redirect(const struct action *a, struct visit *v)
{
	answer(v, 302, SLICE("302 Found"), SLICE("Moved"));
	v->answer.extra =
		(struct header){ SLICE("Location"), escape_uri(v, value_of(&a->value, v)) };
	return ANSWERED;
}

static enum verdict redirect_permanent(const struct action *a, struct visit *v)
{
	answer(v, 301, SLICE("301 Moved Permanently"), SLICE("Moved Permanently"));
	v->answer.extra =
		(struct header){ SLICE("Location"), escape_uri(v, value_of(&a->value, v)) };
	return ANSWERED;
}

static enum verdict ask_password(const struct action *a, struct visit *v)
{
	const char *comma = memchr(a->text.p, ',', a->text.n);
	int realm = (int)(comma - a->text.p);
	char text[256];

	enum password found = basicauth_judge(a->text, v);

	if (found != PASSWORD_WRONG)
		return found == PASSWORD_LATER ? WAITS : GO_ON;
	int n = snprintf(text, sizeof text, "Basic realm=\"%.*s\", charset=\"UTF-8\"", realm,
			 a->text.p);
	answer(v, 401, SLICE("401 Unauthorized"), SLICE("Unauthorized"));
	v->answer.extra = (struct header){ SLICE("WWW-Authenticate"),
					   visit_copy(v, (struct slice){ text, (size_t)n }) };
	return ANSWERED;
}

static enum verdict try_password(const struct action *a, struct visit *v)
{
	return basicauth_judge(a->text, v) == PASSWORD_LATER ? WAITS : GO_ON;
}

static enum verdict pass_on(const struct action *a, struct visit *v)
{
	v->proxy = a->proxy;
	return PROXIED;
}

/* ---- the request ---- */

static enum verdict set_variable(const struct action *a, struct visit *v)
{
	uwsgi_request_var(v->rq, a->kind->variable, value_of(&a->value, v));
	return GO_ON;
}

static enum verdict add_variable(const struct action *a, struct visit *v)
{
	uwsgi_request_var(v->rq, value_of(&a->value, v), value_of(&a->second, v));
	return GO_ON;
}

static struct slice join(struct visit *v, struct slice a, struct slice b)
{
	char *text = uwsgi_request_alloc(v->rq, a.n + b.n + 1);

	if (!text)
		return a;
	memcpy(text, a.p, a.n);
	text[a.n] = '&';
	memcpy(text + a.n + 1, b.p, b.n);
	return (struct slice){ text, a.n + b.n + 1 };
}

/* A query of its own stands before the request's. */
static enum verdict rewrite(const struct action *a, struct visit *v)
{
	struct slice to = value_of(&a->value, v), query;
	struct slice old = uwsgi_request_find(v->rq, SLICE("QUERY_STRING"));
	const char *mark = memchr(to.p, '?', to.n);

	if (mark) {
		query = (struct slice){ mark + 1, to.n - (size_t)(mark - to.p) - 1 };
		to.n = (size_t)(mark - to.p);
		uwsgi_request_var(v->rq, SLICE("QUERY_STRING"),
				  old.n && query.n ? join(v, query, old)
				  : query.n        ? query
						   : old);
	}
	uwsgi_request_var(v->rq, SLICE("PATH_INFO"), to);
	return GO_ON;
}

static enum verdict rewrite_last(const struct action *a, struct visit *v)
{
	rewrite(a, v);
	return TO_APPLICATION;
}

/* Some web servers leave the application's own path in it. */
static enum verdict fix_path(const struct action *a, struct visit *v)
{
	struct slice path = uwsgi_request_find(v->rq, SLICE("PATH_INFO"));
	struct slice script = uwsgi_request_find(v->rq, SLICE("SCRIPT_NAME"));

	(void)a;
	if (script.n == 0 || !uwsgi_is_below(path, script))
		return GO_ON;
	uwsgi_request_var(v->rq, SLICE("PATH_INFO"),
			  (struct slice){ path.p + script.n, path.n - script.n });
	return GO_ON;
}

/* The plugin static answers with what this variable names: a folder, or a file, and what lies beneath
 * it, each with a zero behind. */
static enum verdict give_file(const struct action *a, struct visit *v)
{
	struct slice root = value_of(&a->value, v), rest = value_of(&a->second, v);
	char *text = uwsgi_request_alloc(v->rq, root.n + rest.n + 2);

	if (!text)
		return TO_APPLICATION;
	memcpy(text, root.p, root.n);
	text[root.n] = 0;
	memcpy(text + root.n + 1, rest.p, rest.n);
	text[root.n + 1 + rest.n] = 0;
	uwsgi_request_set_logvar(v->rq, SLICE("static"),
				 (struct slice){ text, root.n + rest.n + 2 });
	return TO_APPLICATION;
}

static enum verdict set_harakiri(const struct action *a, struct visit *v)
{
	v->limits_time = true;
	v->seconds = a->seconds;
	return GO_ON;
}

/* ---- headers of the answer ---- */

static enum verdict change_header(struct visit *v, struct slice name, struct slice value)
{
	struct change *c;

	if (v->rs && value.p)
		uwsgi_response_add(v->rs, name, value);
	else if (v->rs)
		uwsgi_response_set(v->rs, name, value);
	if (v->rs)
		return GO_ON;
	c = (struct change *)uwsgi_request_alloc(v->rq, sizeof *c);
	if (!c)
		return GO_ON;
	*c = (struct change){ NULL, name, value };
	*v->last_change = c;
	v->last_change = &c->next;
	return GO_ON;
}

/* RFC 9110 section 5.5: what a client put into a variable must not begin another header. */
static bool is_header_value(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if (((unsigned char)s.p[i] < ' ' && s.p[i] != '\t') || s.p[i] == '\x7f')
			return false;
	return true;
}

static enum verdict add_header(const struct action *a, struct visit *v)
{
	struct slice value = value_of(&a->second, v);

	return is_header_value(value) ? change_header(v, value_of(&a->value, v), value) : GO_ON;
}

static enum verdict remove_header(const struct action *a, struct visit *v)
{
	return change_header(v, value_of(&a->value, v), (struct slice){ NULL, 0 });
}

/* The plugin gzip takes this header for itself. */
static enum verdict compress(const struct action *a, struct visit *v)
{
	(void)a;
	return change_header(v, SLICE("uWSGI-Encoding"), SLICE("gzip"));
}

/* ---- the log ---- */

static enum verdict say(const struct action *a, struct visit *v)
{
	char line[2048];

	uwsgi_escape(line, sizeof line, value_of(&a->value, v));
	uwsgi_log(UWSGI_NOTE, "%s", line);
	return GO_ON;
}

/* "NAME TEXT" */
static enum verdict raise_alarm(const struct action *a, struct visit *v)
{
	char text[2048];
	struct slice words = value_of(&a->value, v), name = words;
	const char *blank = memchr(words.p, ' ', words.n);

	if (blank)
		name.n = (size_t)(blank - words.p);
	size_t before = name.n + (blank != NULL);
	size_t n = uwsgi_escape(text, sizeof text,
				(struct slice){ words.p + before, words.n - before });

	uwsgi_alarm(name, (struct slice){ text, n });
	return GO_ON;
}

static enum verdict set_logvar(const struct action *a, struct visit *v)
{
	uwsgi_request_set_logvar(v->rq, value_of(&a->value, v), value_of(&a->second, v));
	return GO_ON;
}

static enum verdict keep_out_of_log(const struct action *a, struct visit *v)
{
	(void)a;
	uwsgi_request_keep_out_of_log(v->rq);
	return GO_ON;
}

/* What an answer is as right without: files that ask for it start. */
static enum verdict leave_out(const struct action *a, struct visit *v)
{
	(void)a;
	(void)v;
	return GO_ON;
}

#define SETS(action, name)                                                                         \
	{                                                                                          \
		action, TAKES_TEXT, true, SLICE(name), set_variable, NULL                          \
	}
#define LEFT_OUT(action, text)                                                                     \
	{                                                                                          \
		action, TAKES_NOTHING, false, { NULL, 0 }, leave_out, text                         \
	}
#define NOT_HERE(action, text)                                                                     \
	{                                                                                          \
		action, TAKES_TEXT, false, { NULL, 0 }, NULL, text                                 \
	}
#define CACHES "it will when there are caches; until then nginx's uwsgi_cache does that"
static const struct action_kind kinds[] = {
	{ "continue", TAKES_NOTHING, false, { NULL, 0 }, stop, NULL },
	{ "last", TAKES_NOTHING, false, { NULL, 0 }, stop, NULL },
	{ "goto", TAKES_LABEL, false, { NULL, 0 }, jump, NULL },
	{ "break", TAKES_STATUS, false, { NULL, 0 }, break_off, NULL },
	{ "break-with-status", TAKES_STATUS, false, { NULL, 0 }, give_status, NULL },
	{ "return", TAKES_STATUS, false, { NULL, 0 }, give_status, NULL },
	{ "redirect", TAKES_TEXT, false, { NULL, 0 }, redirect, NULL },
	{ "redirect-302", TAKES_TEXT, false, { NULL, 0 }, redirect, NULL },
	{ "redirect-permanent", TAKES_TEXT, false, { NULL, 0 }, redirect_permanent, NULL },
	{ "redirect-301", TAKES_TEXT, false, { NULL, 0 }, redirect_permanent, NULL },
	{ "rewrite", TAKES_TEXT, true, { NULL, 0 }, rewrite, NULL },
	{ "rewrite-last", TAKES_TEXT, true, { NULL, 0 }, rewrite_last, NULL },
	{ "addheader", TAKES_HEADER, false, { NULL, 0 }, add_header, NULL },
	{ "remheader", TAKES_NAME, false, { NULL, 0 }, remove_header, NULL },
	{ "delheader", TAKES_NAME, false, { NULL, 0 }, remove_header, NULL },
	{ "gzip", TAKES_NOTHING, false, { NULL, 0 }, compress, NULL },
	{ "addvar", TAKES_PAIR, true, { NULL, 0 }, add_variable, NULL },
	{ "basicauth", TAKES_USERS, true, { NULL, 0 }, ask_password, NULL },
	{ "basicauth-next", TAKES_USERS, true, { NULL, 0 }, try_password, NULL },
	{ "fixpathinfo", TAKES_NOTHING, true, { NULL, 0 }, fix_path, NULL },
	{ "static", TAKES_FILE, true, { NULL, 0 }, give_file, NULL },
	{ "harakiri", TAKES_SECONDS, true, { NULL, 0 }, set_harakiri, NULL },
	{ "http", TAKES_HTTP, true, { NULL, 0 }, pass_on, NULL },
	{ "uwsgi", TAKES_UWSGI, true, { NULL, 0 }, pass_on, NULL },
	SETS("setuser", "REMOTE_USER"),
	SETS("seturi", "REQUEST_URI"),
	SETS("setpathinfo", "PATH_INFO"),
	SETS("setscriptname", "SCRIPT_NAME"),
	SETS("setmethod", "REQUEST_METHOD"),
	SETS("setscheme", "UWSGI_SCHEME"),
	SETS("sethost", "HTTP_HOST"),
	SETS("setremoteaddr", "REMOTE_ADDR"),
	SETS("setdocroot", "DOCUMENT_ROOT"),
	{ "log", TAKES_TEXT, false, { NULL, 0 }, say, NULL },
	{ "alarm", TAKES_TEXT, false, { NULL, 0 }, raise_alarm, NULL },
	{ "logvar", TAKES_PAIR, false, { NULL, 0 }, set_logvar, NULL },
	{ "metricinc", TAKES_TEXT, false, { NULL, 0 }, metrics_inc, NULL },
	{ "metricdec", TAKES_TEXT, false, { NULL, 0 }, metrics_dec, NULL },
	{ "metricmul", TAKES_TEXT, false, { NULL, 0 }, metrics_mul, NULL },
	{ "metricdiv", TAKES_TEXT, false, { NULL, 0 }, metrics_div, NULL },
	{ "metricset", TAKES_TEXT, false, { NULL, 0 }, metrics_set, NULL },
	{ "donotlog", TAKES_NOTHING, false, { NULL, 0 }, keep_out_of_log, NULL },
	/* The server does that itself: frames what has no length, sends files without the application,
	 * lets each block go. */
	LEFT_OUT("chunked", NULL),
	LEFT_OUT("donotoffload", NULL),
	LEFT_OUT("flush", NULL),
	LEFT_OUT("cache", CACHES),
	LEFT_OUT("cachestore", CACHES),
	LEFT_OUT("cacheset", CACHES),
	NOT_HERE("expires", "write addheader:Cache-Control: max-age=SECONDS"),
	NOT_HERE("access", "write route-if = ipv4in:${REMOTE_ADDR};NETWORK ACTION"),
	NOT_HERE("send", "write return:STATUS"),
	NOT_HERE("send-crnl", "write return:STATUS"),
	NOT_HERE("memcached", "nginx's memcached_pass does that"),
	NOT_HERE("redis", "let the application do it"),
	NOT_HERE("sse", "let the application do it"),
	NOT_HERE("ldapauth", "write basicauth:REALM,FILE, or use nginx's auth_request"),
	NOT_HERE("spnego", "use nginx's auth_request"),
	NOT_HERE("radius", "use nginx's auth_request"),
	NOT_HERE("signal", "let the application do it"),
	NOT_HERE("rpc", "let the application do it"),
	NOT_HERE("disableheaders", "there is no answer without a head"),
	NOT_HERE("clearheaders", "write remheader:NAME"),
	NOT_HERE("setapphandler", "an application of its own needs mount"),
	NOT_HERE("setapp", "an application of its own needs mount"),
	NOT_HERE("setfile", "an application of its own needs mount"),
	NOT_HERE("sethome", "an application of its own needs a server of its own"),
	NOT_HERE("chdir", "an application of its own needs a server of its own"),
	NOT_HERE("setprocname", "the option procname holds for all requests"),
	NOT_HERE("wait-for-fs", "let the application do it"),
	NOT_HERE("wait-for-file", "let the application do it"),
	NOT_HERE("wait-for-dir", "let the application do it"),
	NOT_HERE("wait-for-socket", "let the application do it"),
};
enum { KINDS = sizeof kinds / sizeof *kinds };

/* ---- taking apart ---- */

static const struct action_kind *find_kind(struct slice name, struct error *e)
{
	const char *names[KINDS], *nearest;
	size_t count = 0;

	for (size_t i = 0; i < KINDS; i++) {
		const struct action_kind *k = &kinds[i];

		if (!uwsgi_same(name, (struct slice){ k->name, strlen(k->name) })) {
			if (k->run)
				names[count++] = k->name;
			continue;
		}
		if (k->run)
			return k;
		uwsgi_error_set(e, "the action %s of uWSGI is not supported; %s", k->name,
				k->instead);
		return NULL;
	}
	nearest = uwsgi_nearest(name, names, count);
	uwsgi_error_set(e, "there is no action %.*s%s%s%s", (int)(name.n < 64 ? name.n : 64),
			name.p, nearest ? "; did you mean \"" : "", nearest ? nearest : "",
			nearest ? "\"?" : "");
	return NULL;
}

/* Both sides of a mark; only the second has variables in it: no client chooses a name. */
static int parse_sides(struct action *a, char mark, const char *expected, struct error *e)
{
	const char *at = memchr(a->text.p, mark, a->text.n);

	if (!at || at == a->text.p)
		return uwsgi_error_set(e, "expected %s:%s", a->kind->name, expected);
	struct slice name = { a->text.p, (size_t)(at - a->text.p) };
	struct slice value = { at + 1, a->text.n - name.n - 1 };

	while (mark == ':' && value.n > 0 && *value.p == ' ') {
		value.p++;
		value.n--;
	}
	if (value_parse(&a->value, name, e) || value_parse(&a->second, value, e))
		return -1;
	return value_is_constant(&a->value)
		       ? 0
		       : uwsgi_error_set(e, "%s: there can be no variable in a name",
					 a->kind->name);
}

static int check_header(struct action *a, struct slice name, struct error *e)
{
	if (!is_token(name) || memchr(name.p, '$', name.n))
		return uwsgi_error_set(e, "expected the name of a header");
	if (uwsgi_same_name(name, SLICE("Content-Length")) ||
	    uwsgi_same_name(name, SLICE("Transfer-Encoding")))
		return uwsgi_error_set(
			e, "%s: %.*s says where each response ends, and is the server's",
			a->kind->name, (int)name.n, name.p);
	return 0;
}

static int parse_status(struct action *a, struct error *e)
{
	const char *p = a->text.p;

	if (a->text.n == 0 && a->kind->run == break_off)
		return 0;
	if (a->text.n >= 3 && p[0] >= '2' && p[0] <= '5' && p[1] >= '0' && p[1] <= '9' &&
	    p[2] >= '0' && p[2] <= '9' && (a->text.n == 3 || p[3] == ' ') &&
	    is_header_value(a->text)) {
		a->status = (p[0] - '0') * 100 + (p[1] - '0') * 10 + (p[2] - '0');
		return 0;
	}
	return uwsgi_error_set(e, "expected %s:STATUS, such as %s:404", a->kind->name,
			       a->kind->name);
}

/* What a client says may only choose beneath a folder that the rule has written out. */
static int parse_file(struct action *a, struct error *e)
{
	const char *variable = memchr(a->text.p, '$', a->text.n);
	size_t n = variable ? (size_t)(variable - a->text.p) : a->text.n;

	while (variable && n > 0 && a->text.p[n - 1] != '/')
		n--;
	struct slice root = { a->text.p, n }, rest = { a->text.p + n, a->text.n - n };

	while (root.n > 0 && variable && root.p[root.n - 1] == '/')
		root.n--;
	if (root.n == 0)
		return uwsgi_error_set(e, "expected static:FILE, or static:/folder/ with variables "
					  "behind that");
	return value_parse(&a->value, root, e) || value_parse(&a->second, rest, e) ? -1 : 0;
}

static int parse_seconds(struct action *a, struct error *e)
{
	enum { DIGITS = 9 };

	a->seconds = uwsgi_number(a->text);
	if (a->seconds >= 0 && a->text.n <= DIGITS)
		return 0;
	return uwsgi_error_set(e, "expected harakiri:SECONDS");
}

static int parse_argument(struct action *a, struct error *e)
{
	const char *colon = memchr(a->text.p, ':', a->text.n);

	switch (a->kind->takes) {
	case TAKES_NOTHING:
		return 0;
	case TAKES_TEXT:
		return value_parse(&a->value, a->text, e);
	case TAKES_STATUS:
		return parse_status(a, e);
	case TAKES_PAIR:
		return parse_sides(a, '=', "NAME=VALUE", e);
	case TAKES_HEADER:
		if (parse_sides(a, ':', "NAME: VALUE", e))
			return -1;
		return check_header(a, (struct slice){ a->text.p, (size_t)(colon - a->text.p) }, e);
	case TAKES_NAME:
		return check_header(a, a->text, e) || value_parse(&a->value, a->text, e) ? -1 : 0;
	case TAKES_LABEL:
		return a->text.n ? 0 : uwsgi_error_set(e, "expected goto:LABEL");
	case TAKES_USERS:
		return basicauth_check(a->text, e);
	case TAKES_FILE:
		return parse_file(a, e);
	case TAKES_SECONDS:
		return parse_seconds(a, e);
	case TAKES_HTTP:
		a->proxy = proxy_new(a->text, SPEAKS_HTTP, e);
		return a->proxy ? 0 : -1;
	case TAKES_UWSGI:
		a->proxy = proxy_new(a->text, SPEAKS_UWSGI, e);
		return a->proxy ? 0 : -1;
	}
	return 0;
}

int action_parse(struct action *a, struct slice text, struct error *e)
{
	const char *colon = memchr(text.p, ':', text.n);
	size_t n = colon ? (size_t)(colon - text.p) : text.n;

	*a = (struct action){ .text = colon ? (struct slice){ colon + 1, text.n - n - 1 }
					    : SLICE("") };
	a->kind = find_kind((struct slice){ text.p, n }, e);
	return a->kind ? parse_argument(a, e) : -1;
}

void action_fini(struct action *a)
{
	value_fini(&a->value);
	value_fini(&a->second);
	proxy_free(a->proxy);
}

enum verdict action_run(const struct action *a, struct visit *v)
{
	return a->kind->run(a, v);
}

struct slice action_label(const struct action *a)
{
	return a->kind && a->kind->takes == TAKES_LABEL ? a->text : (struct slice){ NULL, 0 };
}

const char *action_left_out(const struct action *a)
{
	return a->kind && a->kind->run == leave_out ? a->kind->instead : NULL;
}

bool action_may_wait(const struct action *a)
{
	return a->kind && a->kind->takes == TAKES_USERS && basicauth_has_file(a->text);
}

bool action_is_early(const struct action *a)
{
	return a->kind && a->kind->early;
}

struct proxy *action_proxy(const struct action *a)
{
	return a->proxy;
}

struct slice action_name(const struct action *a)
{
	return (struct slice){ a->kind->name, strlen(a->kind->name) };
}
