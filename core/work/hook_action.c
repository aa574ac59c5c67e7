/* SPDX-License-Identifier: MIT */
/* hook_action.c: the table of actions, and what each of them does to the process that runs it and to the
 * files around it.  When they are run is hooks.c's. */
#include "work/hook_action.h"

#include "base/owner.h"
#include "base/safefile.h"
#include "base/shell.h"
#include "settings/nearest.h"
#include "work/hook_mount.h"
#include "work/hook_wait.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

enum { WORDS_MAX = 5, TEXT_SIZE = 8192 };

struct call {
	char *words[WORDS_MAX + 1]; /* the last one takes all that is left */
	int how;                    /* the action's */
	const struct hook_limits *limits;
};

static int result(int failed, struct error *e)
{
	return failed ? uwsgi_error_errno(e) : 0;
}

/* Of an action whose `how` says which word it is; one that is left out leaves *mode as it is. */
static int read_mode(const struct call *c, mode_t *mode, struct error *e)
{
	const char *text = c->words[c->how];

	if (text && owner_mode(text, 07777, mode))
		return uwsgi_error_set(e, "\"%.64s\" is no octal mode such as 750", text);
	return 0;
}

static int valid_mode(const struct call *c, struct error *e)
{
	mode_t mode = 0;

	return read_mode(c, &mode, e);
}

static int read_number(const char *text, long long most, long long *number, struct error *e)
{
	char *end;

	*number = strtoll(text, &end, 10);
	if (end == text || *end || *number < 0 || *number > most)
		return uwsgi_error_set(e, "\"%.64s\" is no number from 0 to %lld", text, most);
	return 0;
}

/* ---- the process ---- */

static int run_exec(const struct call *c, struct error *e)
{
	return shell_run(c->words[0], c->limits->by_ms, e);
}

static int run_safeexec(const struct call *c, struct error *e)
{
	struct error why;

	(void)e;
	if (shell_run(c->words[0], c->limits->by_ms, &why))
		uwsgi_log(UWSGI_WARNING, "%s; going on (safeexec)", why.text);
	return 0;
}

static int run_print(const struct call *c, struct error *e)
{
	(void)e;
	uwsgi_log(UWSGI_NOTE, "%s", c->words[0]);
	return 0;
}

static int run_cd(const struct call *c, struct error *e)
{
	return result(chdir(c->words[0]), e);
}

static int run_putenv(const struct call *c, struct error *e)
{
	char *equals = strchr(c->words[0], '=');

	if (!equals)
		return result(unsetenv(c->words[0]), e);
	*equals = '\0';
	return result(setenv(c->words[0], equals + 1, 1), e);
}

static int run_umask(const struct call *c, struct error *e)
{
	mode_t mask = 0;

	if (read_mode(c, &mask, e))
		return -1;
	umask(mask & 0777);
	return 0;
}

static int run_setuid(const struct call *c, struct error *e)
{
	uid_t uid;
	gid_t gid;

	if (owner_user(c->words[0], &uid, &gid, e))
		return -1;
	return result(setresuid(uid, uid, uid), e);
}

static int run_setgid(const struct call *c, struct error *e)
{
	gid_t gid;

	if (owner_group(c->words[0], &gid, e))
		return -1;
	return result((geteuid() == 0 && setgroups(1, &gid)) || setresgid(gid, gid, gid), e);
}

static int run_hostname(const struct call *c, struct error *e)
{
	return result(sethostname(c->words[0], strlen(c->words[0])), e);
}

static int valid_exit(const struct call *c, struct error *e)
{
	long long code;

	return c->words[0] ? read_number(c->words[0], 255, &code, e) : 0;
}

static int run_exit(const struct call *c, struct error *e)
{
	long long code = 0;

	if (c->words[0] && read_number(c->words[0], 255, &code, e))
		return -1;
	return 1 + (int)code;
}

/* The master looks for it in the configuration: what it does is done when the signal comes. */
static int run_nothing(const struct call *c, struct error *e)
{
	(void)c;
	(void)e;
	return 0;
}

static int valid_signal(const struct call *c, struct error *e)
{
	long long number;

	return read_number(c->words[0], 64, &number, e);
}

/* ---- files ---- */

enum { APPENDS = 1, ENDS_LINE = 2 };

static int run_write(const struct call *c, struct error *e)
{
	int flags = O_WRONLY | (c->how & APPENDS ? O_APPEND : O_TRUNC);
	const char *text = c->words[1] ? c->words[1] : "";
	struct safefile file;

	if (safefile_open(&file, c->words[0], flags, 0644, geteuid(), e))
		return -1;
	int failed = dprintf(file.fd, "%s%s", text, c->how & ENDS_LINE ? "\n" : "") < 0;

	failed = result(failed, e);
	close(file.fd);
	return failed;
}

enum { FIFO_AT_ONCE, FIFO_WAITS };

/* Opening it for writing fails as long as nobody reads, and until somebody has made it. */
static int run_write_fifo(const struct call *c, struct error *e)
{
	enum { LOOK_MS = 50 };
	int64_t looks = c->how == FIFO_WAITS ? c->limits->file_s * 1000 / LOOK_MS : 0;
	struct stat st;
	int fd;

	while ((fd = open(c->words[0], O_WRONLY | O_NONBLOCK | O_CLOEXEC)) < 0 && looks-- > 0)
		poll(NULL, 0, LOOK_MS);
	if (fd < 0)
		return errno == ENXIO ? uwsgi_error_set(e, "nobody reads from it")
				      : uwsgi_error_errno(e);
	/* Nobody may lead it to a file of ours by a link. */
	int failed = fstat(fd, &st) || !S_ISFIFO(st.st_mode)
			     ? uwsgi_error_set(e, "it is no FIFO")
			     : result(dprintf(fd, "%s", c->words[1]) < 0, e);

	close(fd);
	return failed;
}

/* Made before, by an earlier start perhaps. */
static int made(int failed, const char *path, mode_t kind, struct error *e)
{
	struct stat st;

	if (failed && errno == EEXIST && stat(path, &st) == 0 && (st.st_mode & S_IFMT) == kind)
		return 0;
	return result(failed, e);
}

static int run_mkdir(const struct call *c, struct error *e)
{
	return made(mkdir(c->words[0], 0777), c->words[0], S_IFDIR, e);
}

static int run_mkfifo(const struct call *c, struct error *e)
{
	mode_t mode = 0666;

	if (read_mode(c, &mode, e))
		return -1;
	return made(mkfifo(c->words[0], mode), c->words[0], S_IFIFO, e);
}

static int find_device(const struct call *c, mode_t *kind, dev_t *device, struct error *e)
{
	long long major, minor;

	if (strcmp(c->words[1], "c") != 0 && strcmp(c->words[1], "b") != 0)
		return uwsgi_error_set(e, "\"%.64s\" is no kind of device: c or b", c->words[1]);
	*kind = *c->words[1] == 'c' ? S_IFCHR : S_IFBLK;
	if (read_number(c->words[2], 0xfff, &major, e) ||
	    read_number(c->words[3], 0xfffff, &minor, e))
		return -1;
	*device = makedev((unsigned)major, (unsigned)minor);
	return 0;
}

static int valid_mknod(const struct call *c, struct error *e)
{
	mode_t kind = 0;
	dev_t device = 0;

	return find_device(c, &kind, &device, e);
}

static int run_mknod(const struct call *c, struct error *e)
{
	mode_t kind = 0;
	dev_t device = 0;

	if (find_device(c, &kind, &device, e))
		return -1;
	return made(mknod(c->words[0], kind | 0666, device), c->words[0], kind, e);
}

static int run_unlink(const struct call *c, struct error *e)
{
	struct stat st;

	return lstat(c->words[0], &st) ? uwsgi_error_errno(e)
				       : safefile_remove(c->words[0], &st, e);
}

static int run_rename(const struct call *c, struct error *e)
{
	return safefile_rename(c->words[0], c->words[1], e);
}

/* chmod() by a descriptor without the right to read or write. */
static int change_mode(int fd, mode_t mode)
{
	char path[32];

	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	return chmod(path, mode);
}

static int run_chmod(const struct call *c, struct error *e)
{
	mode_t mode = 0;

	if (read_mode(c, &mode, e))
		return -1;
	int fd = safefile_find(c->words[0], e);
	if (fd < 0)
		return -1;
	int failed = result(change_mode(fd, mode), e);

	close(fd);
	return failed;
}

static int run_sticky(const struct call *c, struct error *e)
{
	int fd = safefile_find(c->words[0], e);
	struct stat st;

	if (fd < 0)
		return -1;
	int failed = result(fstat(fd, &st) || change_mode(fd, (st.st_mode & 07777) | S_ISVTX), e);

	close(fd);
	return failed;
}

static int run_chown(const struct call *c, struct error *e)
{
	gid_t own, gid;
	uid_t uid;

	if (owner_user(c->words[1], &uid, &own, e) || owner_group(c->words[2], &gid, e))
		return -1;
	int fd = safefile_find(c->words[0], e);
	if (fd < 0)
		return -1;
	int failed = result(fchownat(fd, "", uid, gid, AT_EMPTY_PATH), e);

	close(fd);
	return failed;
}

/* ---- others ---- */

static int run_wait(const struct call *c, struct error *e)
{
	const struct hook_limits *l = c->limits;
	enum hook_awaited what = (enum hook_awaited)c->how;
	long long seconds = what == AWAIT_SOCKET      ? l->socket_s
			    : what == AWAIT_INTERFACE ? l->interface_s
						      : l->file_s;

	return hook_wait(what, c->words[0], seconds, e);
}

static int run_alarm(const struct call *c, struct error *e)
{
	(void)e;
	uwsgi_alarm((struct slice){ c->words[0], strlen(c->words[0]) },
		    (struct slice){ c->words[1], strlen(c->words[1]) });
	return 0;
}

static int valid_mount(const struct call *c, struct error *e)
{
	return hook_mount_check(c->words[3], e);
}

static int run_mount(const struct call *c, struct error *e)
{
	const struct hook_mount m = { .kind = c->words[0],
				      .source = c->words[1],
				      .folder = c->words[2],
				      .flags = c->words[3],
				      .data = c->words[4] };

	return hook_mount(&m, e);
}

static int valid_umount(const struct call *c, struct error *e)
{
	return hook_umount_check(c->words[1], e);
}

static int run_umount(const struct call *c, struct error *e)
{
	return hook_umount(c->words[0], c->words[1], e);
}

/* ---- the table ---- */

static const char no_calls[] = "no function inside the server is called; exec runs a command";
static const char no_rpc[] = "there is no RPC here; exec runs a command";

static const struct action {
	const char *name, *form; /* the form of its words, for people */
	int least, most;         /* how many there are */
	int (*run)(const struct call *, struct error *);
	int (*valid)(const struct call *, struct error *); /* NULL: any words are */
	int how;
	const char *instead; /* it is uWSGI's alone */
} actions[] = {
	{ "alarm", "NAME TEXT", 2, 2, run_alarm, NULL, 0, NULL },
	{ "append", "FILE TEXT", 2, 2, run_write, NULL, APPENDS, NULL },
	{ "appendn", "FILE TEXT", 1, 2, run_write, NULL, APPENDS | ENDS_LINE, NULL },
	{ "call", "", 0, 1, run_nothing, NULL, 0, no_calls },
	{ "callint", "", 0, 1, run_nothing, NULL, 0, no_calls },
	{ "callintret", "", 0, 1, run_nothing, NULL, 0, no_calls },
	{ "callret", "", 0, 1, run_nothing, NULL, 0, no_calls },
	{ "cd", "FOLDER", 1, 1, run_cd, NULL, 0, NULL },
	{ "chdir", "FOLDER", 1, 1, run_cd, NULL, 0, NULL },
	{ "chmod", "FILE MODE", 2, 2, run_chmod, valid_mode, 1, NULL },
	{ "chown", "FILE USER GROUP", 3, 3, run_chown, NULL, 0, NULL },
	{ "chown2", "FILE USER GROUP", 3, 3, run_chown, NULL, 0, NULL },
	{ "creat", "FILE", 1, 1, run_write, NULL, 0, NULL },
	{ "create", "FILE", 1, 1, run_write, NULL, 0, NULL },
	{ "exec", "COMMAND", 1, 1, run_exec, NULL, 0, NULL },
	{ "exit", "[CODE]", 0, 1, run_exit, valid_exit, 0, NULL },
	{ "hostname", "NAME", 1, 1, run_hostname, NULL, 0, NULL },
	{ "log", "TEXT", 1, 1, run_print, NULL, 0, NULL },
	{ "mkdir", "FOLDER", 1, 1, run_mkdir, NULL, 0, NULL },
	{ "mkfifo", "FILE [MODE]", 1, 2, run_mkfifo, valid_mode, 1, NULL },
	{ "mknod", "FILE c|b MAJOR MINOR", 4, 4, run_mknod, valid_mknod, 0, NULL },
	{ "mount", "KIND SOURCE FOLDER [FLAGS [DATA]]", 3, 5, run_mount, valid_mount, 0, NULL },
	{ "print", "TEXT", 1, 1, run_print, NULL, 0, NULL },
	{ "putenv", "NAME=VALUE", 1, 1, run_putenv, NULL, 0, NULL },
	{ "rename", "FROM TO", 2, 2, run_rename, NULL, 0, NULL },
	{ "retryrpc", "", 0, 1, run_nothing, NULL, 0, no_rpc },
	{ "rpc", "", 0, 1, run_nothing, NULL, 0, no_rpc },
	{ "safeexec", "COMMAND", 1, 1, run_safeexec, NULL, 0, NULL },
	{ "setgid", "GROUP", 1, 1, run_setgid, NULL, 0, NULL },
	{ "setuid", "USER", 1, 1, run_setuid, NULL, 0, NULL },
	{ "spinningfifo", "FILE TEXT", 2, 2, run_write_fifo, NULL, FIFO_WAITS, NULL },
	{ "sticky", "FOLDER", 1, 1, run_sticky, NULL, 0, NULL },
	{ "umask", "MASK", 1, 1, run_umask, valid_mode, 0, NULL },
	{ "umount", "FOLDER [FLAGS]", 1, 2, run_umount, valid_umount, 0, NULL },
	{ "unix_signal", "NUMBER FUNCTION", 2, 2, run_nothing, valid_signal, 0, NULL },
	{ "unlink", "FILE", 1, 1, run_unlink, NULL, 0, NULL },
	{ "wait_for_dir", "FOLDER", 1, 1, run_wait, NULL, AWAIT_FOLDER, NULL },
	{ "wait_for_file", "FILE", 1, 1, run_wait, NULL, AWAIT_FILE, NULL },
	{ "wait_for_fs", "FILE", 1, 1, run_wait, NULL, AWAIT_ANY, NULL },
	{ "wait_for_iface", "INTERFACE", 1, 1, run_wait, NULL, AWAIT_INTERFACE, NULL },
	{ "wait_for_mountpoint", "FOLDER", 1, 1, run_wait, NULL, AWAIT_MOUNT, NULL },
	{ "wait_for_socket", "ADDRESS", 1, 1, run_wait, NULL, AWAIT_SOCKET, NULL },
	{ "write", "FILE TEXT", 2, 2, run_write, NULL, 0, NULL },
	{ "writefifo", "FILE TEXT", 2, 2, run_write_fifo, NULL, FIFO_AT_ONCE, NULL },
	{ "writen", "FILE TEXT", 1, 2, run_write, NULL, ENDS_LINE, NULL },
};
enum { ACTIONS = sizeof actions / sizeof *actions };

bool hook_action_is(const char *text, const char *name)
{
	size_t n = strcspn(text, ":");

	return strlen(name) == n && !strncmp(text, name, n);
}

static const struct action *find(const char *text)
{
	for (size_t i = 0; i < ACTIONS; i++)
		if (hook_action_is(text, actions[i].name))
			return &actions[i];
	return NULL;
}

static int say_unknown(const char *text, struct error *e)
{
	const char *names[ACTIONS];

	for (size_t i = 0; i < ACTIONS; i++)
		names[i] = actions[i].name;
	return nearest_refuse("action", (struct slice){ text, strcspn(text, ":") }, names, ACTIONS,
			      e);
}

/* a NULL: there is no such action.  buffer: of TEXT_SIZE bytes, for the words. */
static int split(struct call *c, const struct action *a, const char *text, char *buffer,
		 struct error *e)
{
	const char *words = text + strcspn(text, ":");
	int count = 0;

	if (!a)
		return say_unknown(text, e);
	bool is_text = strstr(a->form, " TEXT"); /* which may begin with a blank */

	*c = (struct call){ .how = a->how };
	words += *words == ':';
	if ((size_t)snprintf(buffer, TEXT_SIZE, "%s", words) >= TEXT_SIZE)
		return uwsgi_error_set(e, "longer than %d bytes", TEXT_SIZE - 1);
	for (char *p = buffer + strspn(buffer, " "); *p && count < a->most;) {
		c->words[count++] = p;
		if (count == a->most)
			break;
		p += strcspn(p, " ");
		if (*p)
			*p++ = '\0';
		p += is_text ? 0 : strspn(p, " ");
	}
	if (count < a->least)
		return uwsgi_error_set(e, "expected %s:%s", a->name, a->form);
	return 0;
}

/* ---- for others ---- */

const char *hook_action_text(const char *written)
{
	return written + (*written == '!');
}

const char *hook_action_shown(const char *written)
{
	return *written == '!' ? "(hidden)" : written;
}

int hook_action_check(const char *text, struct error *e)
{
	const struct action *a = find(text);
	char buffer[TEXT_SIZE];
	struct call c;

	if (split(&c, a, text, buffer, e))
		return -1;
	return a->valid ? a->valid(&c, e) : 0;
}

const char *hook_action_instead(const char *text)
{
	const struct action *a = find(text);

	return a ? a->instead : NULL;
}

int hook_action_run(const char *text, const struct hook_limits *limits, struct error *e)
{
	const struct action *a = find(text);
	char buffer[TEXT_SIZE];
	struct call c;

	if (split(&c, a, text, buffer, e))
		return -1;
	c.limits = limits;
	return a->run(&c, e);
}
