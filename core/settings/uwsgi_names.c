/* SPDX-License-Identifier: MIT */
/* uwsgi_names.c: what uwsgi_names.txt says of uWSGI's names: the command line needs it to know which
 * word belongs to which option, help and diagnostics to say what became of an option. */
#include "settings/uwsgi_names.h"

#include <string.h>

const char *const arity_words[] = {
	[ARITY_NONE] = "none", [ARITY_OPTIONAL] = "optional", [ARITY_REQUIRED] = "required"
};

const struct subject uwsgi_subjects[] = {
#include <uwsgi_names.inc> /* of uwsgi_names.txt, by buildconf/names.awk */
};
const size_t uwsgi_subject_count = sizeof uwsgi_subjects / sizeof *uwsgi_subjects;

/* clang-format off */
static const struct {
	char letter;
	const char *name;
} letters[] = {
	{ 'A', "sharedarea" }, { 'J', "test" }, { 'M', "master" }, { 'Q', "spooler" },
	{ 'T', "enable-threads" }, { 'c', "cgi-mode" }, { 'i', "single-interpreter" },
	{ 'r', "reaper" }, { 'v', "max-vars" }, { 'x', "xml" }, { 'y', "yaml" },
};
/* clang-format on */

/* Where the name stands among the names, as a whole; NULL: it does not. */
static const char *find_word(const char *names, const char *name)
{
	size_t n = strlen(name);
	const char *at = n && names && !strpbrk(name, "=? ") ? strstr(names, name) : NULL;

	while (at && ((at > names && at[-1] != ' ') || (at[n] && !strchr("=? ", at[n]))))
		at = strstr(at + 1, name);
	return at;
}

static enum arity arity_of(char mark)
{
	return mark == '=' ? ARITY_REQUIRED : mark == '?' ? ARITY_OPTIONAL : ARITY_NONE;
}

bool uwsgi_names_next(const char **names, struct uwsgi_name *name)
{
	const char *begin = *names ? *names + strspn(*names, "=? ") : "";
	size_t n = strcspn(begin, "=? ");

	if (n == 0 || n >= sizeof name->name)
		return false;
	memcpy(name->name, begin, n);
	name->name[n] = '\0';
	name->arity = arity_of(begin[n]);
	*names = begin + n;
	return true;
}

const struct subject *uwsgi_names_find(const char *option, enum arity *arity)
{
	for (size_t i = 0; i < uwsgi_subject_count; i++) {
		const char *at = find_word(uwsgi_subjects[i].options, option);

		if (at && arity)
			*arity = arity_of(at[strlen(option)]);
		if (at)
			return &uwsgi_subjects[i];
	}
	return NULL;
}

const char *uwsgi_names_of_letter(char letter)
{
	for (size_t i = 0; i < sizeof letters / sizeof *letters; i++)
		if (letters[i].letter == letter)
			return letters[i].name;
	return NULL;
}

char uwsgi_names_letter(const char *option)
{
	for (size_t i = 0; i < sizeof letters / sizeof *letters; i++)
		if (strcmp(letters[i].name, option) == 0)
			return letters[i].letter;
	return 0;
}

/* Debian has some plugins for one version of Python only: asyncio_python313. */
static size_t without_version(const char *name)
{
	const char *python = strstr(name, "_python3");
	const char *version = python ? python + sizeof "_python3" - 1 : NULL;

	return version && !version[strspn(version, "0123456789")] ? (size_t)(version - name)
								  : strlen(name);
}

const struct subject *uwsgi_names_plugin(const char *plugin)
{
	struct uwsgi_name name;
	size_t n = without_version(plugin);

	if (n >= sizeof name.name)
		return NULL;
	memcpy(name.name, plugin, n);
	name.name[n] = '\0';
	for (size_t i = 0; i < uwsgi_subject_count; i++)
		if (find_word(uwsgi_subjects[i].plugins, name.name))
			return &uwsgi_subjects[i];
	return NULL;
}
