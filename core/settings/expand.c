/* SPDX-License-Identifier: MIT */
/* expand.c: replaces $(NAME), @(what) and %(name) in a value.  keys.c calls it, and answers for the
 * names.  Pure.  What nobody defines stays literally, as in uWSGI, because log formats are
 * written in the same notation. */
#include "settings/expand.h"

#include "base/text.h"

#include <stdlib.h>
#include <string.h>

/* One pass over a value: which sign opens, and what stands for what is between. */
struct pass {
	char sign;
	const char *(*replace)(const struct pass *, const char *inside);
	struct arena *arena;
	char *const *environment;
	expand_find find;
	void *user;
	int depth; /* names inside names */
};

enum { NESTED_MAX = 16 };

/* The parenthesis that ends what begins here; one in a sum may hold others. */
static const char *find_close(const char *inside)
{
	int depth = 0;

	for (const char *p = inside; *p; p++) {
		depth += *p == '(';
		if (*p == ')' && depth-- == 0)
			return p;
	}
	return strchr(inside, ')');
}

static const char *expand(const struct pass *pass, const char *value, const char **missing)
{
	const char opening[] = { pass->sign, '(', '\0' };
	struct text out = { 0 };
	const char *from = value, *open;

	while ((open = strstr(from, opening))) {
		const char *inside = open + 2, *close = find_close(inside);

		if (!close)
			break;
		struct slice name = arena_copy(
			pass->arena, (struct slice){ inside, (size_t)(close - inside) + 1 });
		if (!name.p) {
			out.failed = true;
			break;
		}
		((char *)(uintptr_t)name.p)[name.n - 1] = '\0';
		const char *instead = pass->replace(pass, name.p);
		struct slice written = { open, (size_t)(close + 1 - open) };

		text_add(&out, (struct slice){ from, (size_t)(open - from) });
		if (instead)
			text_add(&out, (struct slice){ instead, strlen(instead) });
		else
			text_add(&out, written);
		if (!instead && missing && !*missing) {
			struct text as_written = { 0 };

			text_add(&as_written, written);
			*missing = text_take(&as_written, pass->arena);
		}
		from = close + 1;
	}
	if (from == value && !out.failed)
		return value;
	text_add(&out, (struct slice){ from, strlen(from) });
	return text_take(&out, pass->arena);
}

static const char *replace_variable(const struct pass *pass, const char *inside)
{
	size_t n = strlen(inside);

	for (char *const *v = pass->environment; v && *v; v++)
		if (strncmp(*v, inside, n) == 0 && (*v)[n] == '=')
			return *v + n + 1;
	return NULL;
}

const char *expand_environment(struct arena *arena, const char *value, char *const *environment,
			       const char **missing)
{
	const struct pass pass = {
		.sign = '$', .replace = replace_variable, .arena = arena, .environment = environment
	};

	return expand(&pass, value, missing);
}

static const char *replace_source(const struct pass *pass, const char *inside)
{
	return pass->find(pass->user, inside);
}

const char *expand_sources(struct arena *arena, const char *value, expand_find find, void *user)
{
	const struct pass pass = {
		.sign = '@', .replace = replace_source, .arena = arena, .find = find, .user = user
	};

	return expand(&pass, value, NULL);
}

/* ---- sums ---- */

static long long operand(const struct pass *pass, const char *word)
{
	const char *text = pass->find(pass->user, word);

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

/* Words and signs in turn; anything else is not a sum. */
static const char *work_out(const struct pass *pass, char *words)
{
	struct text result = { 0 };
	char *rest, *word = strtok_r(words, " \t", &rest);
	long long sum;

	if (!word || is_sign(word))
		return NULL;
	sum = operand(pass, word);
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
	return text_take(&result, pass->arena);
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
		words = (char *)(uintptr_t)text_take(&whole, pass->arena);
		if (!words)
			return NULL;
	}
	return work_out(pass, words);
}

static const char *replace_name(const struct pass *pass, const char *inside)
{
	if (strstr(inside, "%(")) {
		struct pass inner = *pass;

		inside = inner.depth++ < NESTED_MAX ? expand(&inner, inside, NULL) : NULL;
		if (!inside)
			return NULL;
	}
	if (!strpbrk(inside, " \t"))
		return pass->find(pass->user, inside);
	struct slice words = arena_copy(pass->arena, (struct slice){ inside, strlen(inside) + 1 });

	return words.p ? work_out_groups(pass, (char *)(uintptr_t)words.p) : NULL;
}

const char *expand_names(struct arena *arena, const char *value, expand_find find, void *user,
			 const char **missing)
{
	const struct pass pass = {
		.sign = '%', .replace = replace_name, .arena = arena, .find = find, .user = user
	};

	return expand(&pass, value, missing);
}
