/* SPDX-License-Identifier: MIT */
/* source.c: reads a configuration file whole, regular or not (a pipe of the shell will do), and
 * finds where it is.  keys_file.c calls it.  It does not look into the bytes. */
#include "settings/source.h"

#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SOURCE_MAX = 16 << 20 };

static char *read_from(int fd, size_t expected, size_t *n, struct error *e)
{
	size_t capacity = expected < SOURCE_MAX ? expected + 1 : SOURCE_MAX;
	char *bytes = NULL, *grown;

	for (;;) {
		grown = realloc(bytes, capacity);
		if (!grown)
			break;
		bytes = grown;
		while (*n < capacity) {
			ssize_t got = read(fd, bytes + *n, capacity - *n);

			if (got == 0)
				return bytes;
			if (got < 0 && errno != EINTR) {
				uwsgi_error_set(e, "%s", strerror(errno));
				free(bytes);
				return NULL;
			}
			*n += got > 0 ? (size_t)got : 0;
		}
		if (capacity >= SOURCE_MAX)
			break;
		capacity *= 2;
	}
	uwsgi_error_set(e, "too large for a configuration");
	free(bytes);
	return NULL;
}

char *source_read(const char *path, size_t *n, struct error *e)
{
	struct stat st;
	char *bytes = NULL;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	*n = 0;
	if (fd < 0 || fstat(fd, &st))
		uwsgi_error_set(e, "%s", strerror(errno));
	else if (S_ISDIR(st.st_mode))
		uwsgi_error_set(e, "is a folder");
	else
		bytes = read_from(fd, st.st_size > 0 ? (size_t)st.st_size : 4095, n, e);
	if (fd >= 0)
		close(fd);
	return bytes;
}

const char *source_absolute(struct arena *arena, const char *cwd, const char *given)
{
	const char *slash = strrchr(given, '/');
	struct text text = { 0 };

	if (*given != '/')
		text_addf(&text, "%s/", strcmp(cwd, "/") == 0 ? "" : cwd);
	text_add(&text, (struct slice){ given, slash ? (size_t)(slash - given) : 0 });
	const char *folder = text_take(&text, arena);
	if (!folder)
		return NULL;
	char *real = realpath(*folder ? folder : "/", NULL);

	if (real && strcmp(real, "/") == 0)
		*real = '\0';
	text_addf(&text, "%s/%s", real ? real : folder, slash ? slash + 1 : given);
	free(real);
	return text_take(&text, arena);
}
