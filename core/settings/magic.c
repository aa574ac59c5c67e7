/* SPDX-License-Identifier: MIT */
/* magic.c: the one-letter variables that uWSGI documents for ini files.  keys.c calls it for
 * each line as it is read.  It asks the system for names and counts and changes nothing. */
#include "settings/magic.h"

#include "base/text.h"

#include <ctype.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static struct slice all_of(const char *text)
{
	return (struct slice){ text, strlen(text) };
}

/* With its last slash. */
static struct slice folder(const char *path)
{
	const char *slash = strrchr(path, '/');

	return (struct slice){ path, slash ? (size_t)(slash + 1 - path) : 0 };
}

static const char *base_name(const char *path)
{
	return path + folder(path).n;
}

static const char *last_dot(const char *path)
{
	const char *base = base_name(path), *dot = strrchr(base, '.');

	return dot ? dot : base + strlen(base);
}

/* The n-th folder of the path from the top; -1: the last one. */
static struct slice component(const char *path, int n)
{
	struct slice all = folder(path), found = { 0 };
	const char *p = all.p, *end = all.p + all.n;

	for (int i = 0; p < end && *p == '/' && p + 1 < end; i++) {
		const char *slash = memchr(p + 1, '/', (size_t)(end - p - 1));

		found = (struct slice){ p + 1, (size_t)(slash - p - 1) };
		if (i == n)
			return found;
		p = slash;
	}
	return n < 0 ? found : (struct slice){ 0 };
}

static uint32_t hash(const char *text)
{
	uint32_t h = 5381;

	for (; *text; text++)
		h = h * 33 ^ (unsigned char)*text;
	return h;
}

/* The letters that speak of a file; capital ones of the file that was read first. */
static bool add_of_file(struct text *out, const struct place *place, char letter)
{
	struct stat st;

	switch (letter) {
	case 'o':
		text_add(out, all_of(place->given));
		return true;
	case 'p':
		text_add(out, all_of(place->path));
		return true;
	case 's':
		text_add(out, all_of(base_name(place->path)));
		return true;
	case 'd':
		text_add(out, folder(place->path));
		return true;
	case 'e':
		text_add(out, all_of(*last_dot(place->path) ? last_dot(place->path) + 1 : ""));
		return true;
	case 'n':
		text_add(out, (struct slice){
				      base_name(place->path),
				      (size_t)(last_dot(place->path) - base_name(place->path)) });
		return true;
	case 'c':
		text_add(out, component(place->path, -1));
		return true;
	case 'x':
		text_add(out, all_of(place->section));
		return true;
	case 'i':
		text_addf(out, "%llu",
			  stat(place->path, &st) == 0 ? (unsigned long long)st.st_ino : 0ULL);
		return true;
	case 'j':
		text_addf(out, "%X", hash(place->path));
		return true;
	}
	return false;
}

static bool add_of_system(struct text *out, const struct place *place, char letter)
{
	char name[256] = "";
	const struct passwd *user;
	const struct group *group;

	switch (letter) {
	case 'v':
		text_add(out, all_of(place->cwd));
		return true;
	case 'V':
		text_add(out, all_of(UWSGI_VERSION));
		return true;
	case 'h':
		if (gethostname(name, sizeof name - 1) == 0)
			text_add(out, all_of(name));
		return true;
	case 't':
		text_addf(out, "%lld", (long long)time(NULL));
		return true;
	case 'k':
		text_addf(out, "%ld", sysconf(_SC_NPROCESSORS_ONLN));
		return true;
	case 'u':
		text_addf(out, "%u", (unsigned)getuid());
		return true;
	case 'g':
		text_addf(out, "%u", (unsigned)getgid());
		return true;
	case 'U':
		if ((user = getpwuid(getuid())))
			text_add(out, all_of(user->pw_name));
		else
			text_addf(out, "%u", (unsigned)getuid());
		return true;
	case 'G':
		if ((group = getgrgid(getgid())))
			text_add(out, all_of(group->gr_name));
		else
			text_addf(out, "%u", (unsigned)getgid());
		return true;
	case '[':
		text_add(out, SLICE("\033"));
		return true;
	}
	return false;
}

static bool add_letter(struct text *out, const struct place *place, char letter)
{
	if (add_of_system(out, place, letter) || add_of_file(out, place, letter))
		return true;
	if (isdigit((unsigned char)letter)) {
		text_add(out, component(place->path, letter - '0'));
		return true;
	}
	return isupper((unsigned char)letter) &&
	       add_of_file(out, place->first, (char)tolower((unsigned char)letter));
}

const char *magic_expand(struct arena *arena, const char *value, const struct place *place,
			 char *unknown)
{
	struct text out = { 0 };
	const char *from = value, *sign;

	while ((sign = strchr(from, '%')) && sign[1]) {
		text_add(&out, (struct slice){ from, (size_t)(sign - from) });
		from = sign + 2;
		if (sign[1] == '%')
			text_add(&out, SLICE("%"));
		else if (sign[1] == '(')
			text_add(&out, SLICE("%("));
		else if (!add_letter(&out, place, sign[1]) && !*unknown)
			*unknown = sign[1];
	}
	if (from == value)
		return value;
	text_add(&out, all_of(from));
	return text_take(&out, arena);
}
