/* SPDX-License-Identifier: MIT */
/* expand.c: replaces what stands for something else in a value.  reader.c has the letters replaced
 * as it reads a line, and the rest when all is read; conditions and names of files ask for the
 * rest earlier, with what is known then.  A name means the value of the first directive that sets
 * it, as in uWSGI. */
#include "settings/expand.h"

#include "base/text.h"
#include "settings/source.h"

#include <ctype.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
	NESTED_MAX = 16,  /* %(%(name)) */
	DEPTH_MAX = 1000, /* names whose values hold names */
};

static struct slice all_of(const char *text)
{
	return (struct slice){ text, strlen(text) };
}

/* ---- letters ---- */

enum { SCRATCH = 256 };

/* With its last slash. */
static struct slice folder(const char *path)
{
	const char *slash = strrchr(path, '/');

	return (struct slice){ path, slash ? (size_t)(slash + 1 - path) : 0 };
}

/* The n-th folder of the path from the top; -1: the last one. */
static struct slice component(const char *path, int n)
{
	struct slice all = folder(path), found = SLICE("");
	const char *p = all.p, *end = all.p + all.n;

	for (int i = 0; p < end && *p == '/' && p + 1 < end; i++) {
		const char *slash = memchr(p + 1, '/', (size_t)(end - p - 1));

		found = (struct slice){ p + 1, (size_t)(slash - p - 1) };
		if (i == n)
			return found;
		p = slash;
	}
	return n < 0 ? found : SLICE("");
}

static unsigned hash(const char *text)
{
	uint32_t h = 5381;

	for (; *text; text++)
		h = h * 33 ^ (unsigned char)*text;
	return h;
}

static struct slice number(char *scratch, unsigned long long n)
{
	return (struct slice){ scratch, (size_t)snprintf(scratch, SCRATCH, "%llu", n) };
}

/* The letters that speak of a file; p NULL: there is no such letter. */
static struct slice of_file(const struct place *place, char letter, char *scratch)
{
	const char *base = place->path + folder(place->path).n, *dot = strrchr(base, '.');
	struct stat st;

	switch (letter) {
	case 'o':
		return all_of(place->given);
	case 'p':
		return all_of(place->path);
	case 's':
		return all_of(base);
	case 'd':
		return folder(place->path);
	case 'e':
		return all_of(dot ? dot + 1 : "");
	case 'n':
		return (struct slice){ base, dot ? (size_t)(dot - base) : strlen(base) };
	case 'c':
		return component(place->path, -1);
	case 'x':
		return all_of(place->section);
	case 'i':
		return number(scratch, stat(place->path, &st) ? 0 : st.st_ino);
	case 'j':
		return (struct slice){ scratch, (size_t)snprintf(scratch, SCRATCH, "%X",
								 hash(place->path)) };
	}
	return (struct slice){ 0 };
}

/* Those that speak of the system, in the same way. */
static struct slice of_system(const struct place *place, char letter, char *scratch)
{
	const struct passwd *user;
	const struct group *group;

	switch (letter) {
	case 'v':
		return all_of(place->cwd);
	case 'V':
		return all_of(UWSGI_VERSION);
	case 'h':
		scratch[SCRATCH - 1] = '\0';
		return gethostname(scratch, SCRATCH - 1) ? SLICE("") : all_of(scratch);
	case 't':
		return number(scratch, (unsigned long long)time(NULL));
	case 'k':
		return number(scratch, (unsigned long long)sysconf(_SC_NPROCESSORS_ONLN));
	case 'u':
		return number(scratch, getuid());
	case 'g':
		return number(scratch, getgid());
	case 'U':
		user = getpwuid(getuid());
		return user ? all_of(user->pw_name) : number(scratch, getuid());
	case 'G':
		group = getgrgid(getgid());
		return group ? all_of(group->gr_name) : number(scratch, getgid());
	case '[':
		return SLICE("\033"); /* begins a colour on a terminal */
	}
	return (struct slice){ 0 };
}

static struct slice of_letter(const struct place *place, char letter, char *scratch)
{
	struct slice means = of_system(place, letter, scratch);

	if (!means.p)
		means = of_file(place, letter, scratch);
	if (!means.p && isdigit((unsigned char)letter))
		means = component(place->path, letter - '0');
	if (!means.p && isupper((unsigned char)letter))
		means = of_file(place->first, (char)tolower((unsigned char)letter), scratch);
	return means;
}

const char *expand_letters(struct arena *arena, const char *text, const struct place *place,
			   char *unknown)
{
	struct text out = { 0 };
	const char *from = text, *sign;
	char scratch[SCRATCH];

	while ((sign = strchr(from, '%')) && sign[1]) {
		struct slice means = sign[1] == '%'   ? SLICE("%")
				     : sign[1] == '(' ? SLICE("%(")
						      : of_letter(place, sign[1], scratch);

		if (!means.p && !*unknown)
			*unknown = sign[1];
		text_add(&out, (struct slice){ from, (size_t)(sign - from) });
		text_add(&out, means);
		from = sign + 2;
	}
	if (from == text)
		return text;
	text_add(&out, all_of(from));
	return text_take(&out, arena);
}

/* ---- what stands between parentheses ---- */

/* One pass over a text: the sign that opens, and what stands for what is between. */
struct pass {
	struct reading *r;
	const char *opening; /* "%(" */
	/* What is between may be written to.  NULL: nobody defines it. */
	const char *(*means)(struct pass *, char *between);
	const struct directive *of; /* whose value this is; NULL: nobody's */
	const char *missing;        /* the first that nobody defines, as it is written */
	int nested;
};

/* The parenthesis that ends what begins here; one in a sum may hold others. */
static const char *find_close(const char *between)
{
	int depth = 0;

	for (const char *p = between; *p; p++) {
		depth += *p == '(';
		if (*p == ')' && depth-- == 0)
			return p;
	}
	return strchr(between, ')');
}

/* NULL when the text is too long by now, or memory is out. */
static const char *replace(struct pass *pass, const char *text)
{
	struct arena *arena = pass->r->arena;
	struct text out = { 0 };
	const char *from = text, *open, *close;

	while ((open = strstr(from, pass->opening)) && (close = find_close(open + 2))) {
		struct slice written = { open, (size_t)(close + 1 - open) };
		char *between = arena_string(arena, open + 2, written.n - 3);
		const char *means = between ? pass->means(pass, between) : NULL;

		text_add(&out, (struct slice){ from, (size_t)(open - from) });
		text_add(&out, means ? all_of(means) : written);
		if (!means && !pass->missing)
			pass->missing = arena_string(arena, written.p, written.n);
		from = close + 1;
	}
	if (from == text)
		return text;
	text_add(&out, all_of(from));
	pass->r->set->bytes += out.n;
	return text_take(&out, arena);
}

const char *expand_variable(const struct reading *r, const char *name)
{
	size_t n = strlen(name);

	for (char **v = r->invocation->environ_; v && *v; v++)
		if (strncmp(*v, name, n) == 0 && (*v)[n] == '=')
			return *v + n + 1;
	return NULL;
}

static const char *of_variable(struct pass *pass, char *between)
{
	return expand_variable(pass->r, between);
}

/* Files and commands are not asked before all is read, so that each is asked once. */
static const char *of_source(struct pass *pass, char *between)
{
	const struct reading *r = pass->r;
	bool no_commands = r->preview || r->invocation->no_commands;
	struct error e;

	if (!r->whole || (no_commands && source_is_command(between)))
		return NULL;
	const char *text = source_text(r->arena, r->invocation->cwd, between, &e);
	if (!text)
		report_add(r->report, UWSGI_ERROR, pass->of->at, "%s: @(%s): %s", pass->of->name,
			   between, e.text);
	return text;
}

/* ---- names ---- */

static const char *expand_signs(struct reading *, const struct directive *of, const char *text);

/* Of the value that is known by now: it is looked for again when there are more directives. */
static void expand_directive(struct reading *r, struct directive *d)
{
	size_t now = r->whole ? SIZE_MAX : r->set->count;

	if (!d->written || d->expanded_at == now)
		return;
	d->under_way = true;
	const char *value = expand_signs(r, d, d->written);
	d->under_way = false;
	d->expanded_at = now;
	d->value = value ? value : d->written;
	if (!value && r->whole && !r->set->full)
		report_add(r->report, UWSGI_ERROR, d->at,
			   "%s: the value is too long once its names are replaced", d->name);
}

static const char *value_of(struct reading *r, const char *name)
{
	struct directive *d = directives_find(r->set, name);

	if (!d || d->under_way)
		return NULL;
	d->used = true;
	if (r->depth == DEPTH_MAX) {
		if (r->whole)
			report_add(r->report, UWSGI_ERROR, d->at,
				   "%s: more than %d names lead to one another", d->name,
				   DEPTH_MAX);
		return NULL;
	}
	r->depth++;
	expand_directive(r, d);
	r->depth--;
	return d->value ? d->value : "";
}

/* An unknown name counts as 0. */
static long long operand(const struct pass *pass, const char *word)
{
	const char *text = value_of(pass->r, word);

	return strtoll(text ? text : word, NULL, 10);
}

/* False: the result has no number. */
static bool apply(char sign, long long *sum, long long n)
{
	switch (sign) {
	case '+':
		return !__builtin_add_overflow(*sum, n, sum);
	case '-':
		return !__builtin_sub_overflow(*sum, n, sum);
	case '*':
		return !__builtin_mul_overflow(*sum, n, sum);
	case '/':
	case '%':
		if (n == 0 || n == -1) /* -1 can overflow, and is of no use here */
			return false;
		*sum = sign == '/' ? *sum / n : *sum % n;
		return true;
	}
	return false;
}

static bool is_sign(const char *word)
{
	return word[0] && !word[1] && strchr("+-*/%", word[0]);
}

/* Words and signs in turn, strictly from left to right; anything else is not a sum. */
static const char *work_out(const struct pass *pass, char *words)
{
	struct text result = { 0 };
	char *rest, *word = strtok_r(words, " \t", &rest);

	if (!word || is_sign(word))
		return NULL;
	long long sum = operand(pass, word);
	while ((word = strtok_r(NULL, " \t", &rest))) {
		char sign = *word;

		if (strcmp(word, "++") == 0 || strcmp(word, "--") == 0) {
			if (!apply(sign, &sum, 1))
				return NULL;
			continue;
		}
		if (!is_sign(word) || !(word = strtok_r(NULL, " \t", &rest)) ||
		    !apply(sign, &sum, operand(pass, word)))
			return NULL;
	}
	text_addf(&result, "%lld", sum);
	return text_take(&result, pass->r->arena);
}

/* Groups in parentheses first, the innermost one before others; uWSGI has none. */
static const char *work_out_groups(const struct pass *pass, char *words)
{
	char *open, *close;

	while ((open = strrchr(words, '('))) {
		struct text whole = { 0 };

		close = strchr(open, ')');
		if (!close)
			return NULL;
		*open = *close = '\0';
		const char *value = work_out(pass, open + 1);
		if (!value)
			return NULL;
		text_addf(&whole, "%s%s%s", words, value, close + 1);
		words = (char *)(uintptr_t)text_take(&whole, pass->r->arena);
		if (!words)
			return NULL;
	}
	return work_out(pass, words);
}

static const char *of_name(struct pass *pass, char *between)
{
	if (strstr(between, "%(")) {
		struct pass inner = *pass;
		const char *replaced =
			inner.nested++ < NESTED_MAX ? replace(&inner, between) : NULL;

		if (!replaced)
			return NULL;
		between = (char *)(uintptr_t)replaced;
	}
	return strpbrk(between, " \t") ? work_out_groups(pass, between)
				       : value_of(pass->r, between);
}

/* In free text, and in what is not ours, the same notation may mean something else. */
static void doubt_missing(const struct reading *r, const struct directive *d, const char *missing)
{
	struct option_at at;
	bool is_text = catalogue_find(r->catalogue, d->name, &at)
			       ? at.row->text
			       : uwsgi_names_find(d->name, NULL) != NULL;

	if (!d->from_environment && !is_text)
		report_add(r->report, UWSGI_WARNING, d->at,
			   "%s: nothing defines %s; it stays as it is written", d->name, missing);
}

static const char *expand_signs(struct reading *r, const struct directive *of, const char *text)
{
	const struct {
		const char *opening;
		const char *(*means)(struct pass *, char *between);
	} signs[] = { { "$(", of_variable }, { "@(", of_source }, { "%(", of_name } };

	const struct origin at = of ? of->at : (struct origin){ 0 };

	/* Where all values together are too long, the rest stays as it is written. */
	for (size_t i = 0; text && i < sizeof signs / sizeof *signs && directives_fit(r, 0, at);
	     i++) {
		struct pass pass = {
			.r = r, .opening = signs[i].opening, .means = signs[i].means, .of = of
		};

		text = replace(&pass, text);
		if (pass.missing && r->whole && pass.means != of_source)
			doubt_missing(r, of, pass.missing);
	}
	return text;
}

const char *expand(struct reading *r, const char *text)
{
	const char *known = expand_signs(r, NULL, text);

	return known ? known : text;
}

void expand_all(struct reading *r)
{
	r->whole = true;
	for (size_t i = 0; i < r->set->count; i++)
		expand_directive(r, &r->set->items[i]);
}
