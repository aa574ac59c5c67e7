/* SPDX-License-Identifier: MIT */
/* logfile.c: opens, reopens and rotates log files: the server's, at the start and later in the
 * master, and those of the loggers.  When one cannot be opened the log goes on in the old one.  It
 * writes no lines. */
#include "log/logfile.h"

#include "base/address.h"
#include "base/clock.h"
#include "log/logging.h"
#include "base/safefile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- any ---- */

/* Puts it in the place of standard output and standard error; closes fd. */
static int use(int fd, const char *name, struct error *e)
{
	int failed = 0;

	fflush(stdout);
	if (dup2(fd, STDOUT_FILENO) < 0 || dup2(fd, STDERR_FILENO) < 0)
		failed = uwsgi_error_set(e, "cannot log to %s: %s", name, strerror(errno));
	if (fd > STDERR_FILENO)
		close(fd);
	return failed;
}

static void set_access(const struct logfile *f, const struct safefile *file, const char *path)
{
	bool give = f->chown && geteuid() == 0;

	if ((f->mode || give) && !file->may_change) {
		uwsgi_log(UWSGI_WARNING,
			  "logfile-chmod, logfile-chown: %s was there already, in a folder that "
			  "others than root may write to, so its mode and owner stay",
			  path);
		return;
	}
	if (f->mode && fchmod(file->fd, f->mode))
		uwsgi_log(UWSGI_WARNING, "logfile-chmod: %s: %s", path, strerror(errno));
	if (give && fchown(file->fd, f->uid, f->gid))
		uwsgi_log(UWSGI_WARNING, "logfile-chown: %s: %s", path, strerror(errno));
}

/* The server's file is shared with processes that expect write(2) to wait; a logger's is not. */
static int open_flags(const struct logfile *f)
{
	return O_WRONLY | O_APPEND | (f->truncate ? O_TRUNC : 0) |
	       (f->fd == STDERR_FILENO ? 0 : O_NONBLOCK);
}

static int say_unopened(bool is_servers, const char *path, const struct error *why, struct error *e)
{
	return uwsgi_error_set(e, "cannot open %s%s: %s", is_servers ? "log file " : "", path,
			       why->text);
}

int logfile_open(struct logfile *f, const char *path, struct error *e)
{
	bool is_servers = f->fd == STDERR_FILENO;
	struct safefile file;
	struct error why;

	if (safefile_open(&file, path, open_flags(f), 0640, f->uid, &why))
		return say_unopened(is_servers, path, &why, e);
	set_access(f, &file, path);
	if (is_servers && use(file.fd, path, e))
		return -1;
	if (f->fd >= 0 && !is_servers)
		close(f->fd);
	if (!is_servers)
		f->fd = file.fd;
	if (path != f->path)
		snprintf(f->path, sizeof f->path, "%s", path);
	f->full_at = f->max_size;
	return 0;
}

static void say_failure(const struct error *e)
{
	uwsgi_log(UWSGI_WARNING, "%s; the log goes on where it was", e->text);
}

/* The path with the time behind it, and a number where there is such a file already. */
static void name_backup(const struct logfile *f, char *name, size_t size)
{
	long long now_s = (long long)(clock_wall_us() / 1000000);
	int n = snprintf(name, size, "%s.%lld", f->path, now_s);

	for (int i = 1; n > 0 && (size_t)n < size && access(name, F_OK) == 0; i++)
		snprintf(name, size, "%s.%lld.%d", f->path, now_s, i);
}

bool logfile_is_full(const struct logfile *f, const struct stat *st, size_t n)
{
	return f->full_at && S_ISREG(st->st_mode) && st->st_size > 0 &&
	       st->st_size + (int64_t)n > f->full_at;
}

void logfile_rotate(struct logfile *f)
{
	char backup[sizeof f->path + 64];
	struct error e, why;

	if (!*f->path)
		return;
	if (*f->backup)
		snprintf(backup, sizeof backup, "%s", f->backup);
	else
		name_backup(f, backup, sizeof backup);
	if (safefile_rename(f->path, backup, &why))
		uwsgi_error_set(&e, "cannot rename %s to %s: %s", f->path, backup, why.text);
	else if (logfile_open(f, f->path, &e) == 0)
		return; /* nothing is said: it might not fit, either */
	say_failure(&e);
	f->full_at += f->max_size; /* not again for every line */
}

/* ---- the server's ---- */

void logfile_init(struct logfile *f, const char *start_folder)
{
	struct stat out;

	*f = (struct logfile){ .fd = STDERR_FILENO,
			       .start_folder = start_folder,
			       .uid = getuid(),
			       .gid = getgid(),
			       .unblocked = -1 };
	/* Root's pipe can be opened as long as this process is root. */
	if (fstat(STDERR_FILENO, &out) == 0)
		logfile_descriptor(f, &out);
}

static void make_absolute(const char *start_folder, const char *path, char *full, size_t size)
{
	int n = *path == '/' ? snprintf(full, size, "%s", path)
			     : snprintf(full, size, "%s/%s", start_folder, path);

	if (n < 0 || (size_t)n >= size)
		*full = '\0';
}

void logfile_configure(struct logfile *f, const struct config *cfg)
{
	const struct logging_settings *s = uwsgi_options(cfg, &logging_options);

	f->mode = logging_mode(s);
	f->chown = s->chown;
	f->max_size = f->full_at = s->max_size;
	*f->backup = '\0';
	if (s->backup)
		make_absolute(f->start_folder, s->backup, f->backup, sizeof f->backup);
}

/* "host:port": nobody would write such a path. */
static bool is_udp(const char *name)
{
	const char *colon = strrchr(name, ':');

	return colon && !strchr(name, '/') && colon[1] &&
	       strspn(colon + 1, "0123456789") == strlen(colon + 1);
}

static int find_udp(const char *name, struct address *a, struct error *e)
{
	struct error why;

	return address_parse(a, name, &why)
		       ? uwsgi_error_set(e, "cannot log to %s: %s", name, why.text)
		       : 0;
}

static int open_udp(const char *name, struct error *e)
{
	struct address a;

	if (find_udp(name, &a, e))
		return -1;
	int fd = socket(a.sa.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (const struct sockaddr *)&a.sa, a.length)) {
		uwsgi_error_set(e, "cannot log to %s: %s", name, strerror(errno));
		if (fd >= 0)
			close(fd);
		return -1;
	}
	return use(fd, name, e);
}

/* The descriptor that a name such as /dev/stdout stands for; -1: it is none of these.  Such a file
 * cannot always be opened again: it may be a socket, as under systemd, or another user's terminal.
 */
static int standard_stream(const char *name)
{
	static const struct {
		const char *name;
		int fd;
	} streams[] = {
		{ "/dev/stdout", STDOUT_FILENO },     { "/dev/stderr", STDERR_FILENO },
		{ "/proc/self/fd/1", STDOUT_FILENO }, { "/proc/self/fd/2", STDERR_FILENO },
		{ "/dev/fd/1", STDOUT_FILENO },       { "/dev/fd/2", STDERR_FILENO },
	};

	for (size_t i = 0; i < sizeof streams / sizeof *streams; i++)
		if (strcmp(name, streams[i].name) == 0)
			return streams[i].fd;
	return -1;
}

static int say_too_long(const char *name, struct error *e)
{
	return uwsgi_error_set(e, "log file %s: the path is too long", name);
}

int logfile_check(const char *name, const char *start_folder, struct error *e)
{
	char path[sizeof((struct logfile *)0)->path];
	struct address a;
	struct error why;

	if (is_udp(name))
		return find_udp(name, &a, e);
	if (standard_stream(name) >= 0)
		return 0;
	make_absolute(start_folder, name, path, sizeof path);
	if (!*path)
		return say_too_long(name, e);
	return safefile_check(path, 0, &why) ? say_unopened(true, path, &why, e) : 0;
}

static int open_name(struct logfile *f, const char *name, struct error *e)
{
	char path[sizeof f->path];

	if (is_udp(name))
		return open_udp(name, e);
	if (standard_stream(name) >= 0)
		return use(standard_stream(name), name, e);
	make_absolute(f->start_folder, name, path, sizeof path);
	if (!*path)
		return say_too_long(name, e);
	return logfile_open(f, path, e);
}

static const char *name_of(const struct logging_settings *s, bool late)
{
	if (late)
		return s->logto2;
	return s->logto ? s->logto : s->daemonize ? s->daemonize : s->daemonize2;
}

int logfile_start(struct logfile *f, const struct config *cfg, bool late, struct error *e)
{
	const struct logging_settings *s = uwsgi_options(cfg, &logging_options);
	const char *name = name_of(s, late);

	if (!name)
		return 0;
	f->truncate = s->truncate;
	int failed = open_name(f, name, e);
	f->truncate = false; /* only at the start */
	if (!failed)
		logging_use(cfg); /* it is no journal any more */
	return failed;
}

void logfile_reopen(struct logfile *f)
{
	struct error e;

	if (!*f->path)
		return;
	if (logfile_open(f, f->path, &e))
		say_failure(&e);
	else
		uwsgi_log(UWSGI_NOTE, "log file %s opened again", f->path);
}

void logfile_reload(struct logfile *f, const struct config *cfg)
{
	const struct logging_settings *s = uwsgi_options(cfg, &logging_options);
	const char *name = s->logto2 ? s->logto2 : name_of(s, false);
	char path[sizeof f->path] = "";
	struct error e;

	logfile_configure(f, cfg);
	if (name && !is_udp(name) && standard_stream(name) < 0)
		make_absolute(f->start_folder, name, path, sizeof path);
	if (*path && strcmp(path, f->path) != 0) {
		uwsgi_log(UWSGI_NOTE, "the log goes on in %s", path);
		if (logfile_open(f, path, &e))
			say_failure(&e);
	} else if (s->reopen) {
		logfile_reopen(f);
	}
}

static void close_unblocked(struct logfile *f)
{
	if (f->unblocked >= 0)
		close(f->unblocked);
	f->unblocked = -1;
}

int logfile_descriptor(struct logfile *f, const struct stat *out)
{
	if (f->seen_device != out->st_dev || f->seen_inode != out->st_ino) {
		close_unblocked(f);
		f->seen_device = out->st_dev;
		f->seen_inode = out->st_ino;
		if (S_ISFIFO(out->st_mode) || S_ISCHR(out->st_mode))
			f->unblocked = open("/proc/self/fd/2",
					    O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	}
	return f->unblocked >= 0 ? f->unblocked : STDERR_FILENO;
}

/* What could be opened once, as root, perhaps could not be again. */
void logfile_carry(struct logfile *f, struct carry *c)
{
	int unblocked = f->unblocked;
	uint64_t uid = f->uid, gid = f->gid;

	carry_text(c, f->path, sizeof f->path);
	carry_u64(c, &uid);
	carry_u64(c, &gid);
	carry_fd(c, &unblocked);
	f->uid = (uid_t)uid;
	f->gid = (gid_t)gid;
	if (!c->reading || unblocked < 0)
		return;
	close_unblocked(f);
	f->unblocked = unblocked;
}

void logfile_enter_child(struct logfile *f)
{
	close_unblocked(f);
}
