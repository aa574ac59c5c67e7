/* SPDX-License-Identifier: MIT */
/* privileges.c: root folder, user and group of the processes.  They change once, after privileged
 * ports are bound and, unless the configuration wants it otherwise, before anything of the
 * application is read; children inherit that. */
#include "process/privileges.h"

#include "base/owner.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <unistd.h>

struct privileges_settings {
	const char *uid, *gid, *immediate_uid, *immediate_gid, *root, *capabilities;
	struct option_list add_gids;
	bool no_initgroups, master_as_root, after_import, no_new;
};

/* "setgid,cap_setuid net_bind_service".  *set is the caller's to cap_free(). */
static int find_capabilities(const char *list, cap_t *set, struct error *e)
{
	char name[64];
	cap_value_t value;

	*set = cap_init();
	if (!*set)
		return uwsgi_error_set(e, "out of memory");
	for (list += strspn(list, ", "); *list; list += strspn(list, ", ")) {
		int n = (int)strcspn(list, ", ");
		bool whole = strncasecmp(list, "cap_", 4) == 0;

		snprintf(name, sizeof name, "%s%.*s", whole ? "" : "cap_", n, list);
		if (cap_from_name(name, &value)) {
			cap_free(*set);
			return uwsgi_error_set(e, "there is no capability %.*s", n, list);
		}
		cap_set_flag(*set, CAP_PERMITTED, 1, &value, CAP_SET);
		cap_set_flag(*set, CAP_EFFECTIVE, 1, &value, CAP_SET);
		cap_set_flag(*set, CAP_INHERITABLE, 1, &value, CAP_SET);
		list += n;
	}
	return 0;
}

static int valid_user(const char *text, struct error *e)
{
	uid_t uid;
	gid_t gid;

	return owner_user(text, &uid, &gid, e);
}

static int valid_group(const char *text, struct error *e)
{
	gid_t gid;

	return owner_group(text, &gid, e);
}

static int valid_capabilities(const char *text, struct error *e)
{
	cap_t set;

	if (find_capabilities(text, &set, e))
		return -1;
	cap_free(set);
	return 0;
}

#define AT(member) offsetof(struct privileges_settings, member)
static const struct option rows[] = {
	{ .name = "uid",
	  .type = OPT_STRING,
	  .offset = AT(uid),
	  .valid = valid_user,
	  .help = "run as this user, a name or a number, once the sockets are open",
	  .unit = "USER",
	  .example = "www-data" },
	{ .name = "gid",
	  .type = OPT_STRING,
	  .offset = AT(gid),
	  .valid = valid_group,
	  .help = "run as this group, a name or a number; without it, as the user's own group",
	  .unit = "GROUP",
	  .example = "www-data",
	  .differs = "the group stays that of who starts the server" },
	{ .name = "add-gid",
	  .type = OPT_LIST,
	  .offset = AT(add_gids),
	  .valid = valid_group,
	  .help = "add this supplementary group, a name or a number",
	  .unit = "GROUP",
	  .example = "adm" },
	{ .name = "no-initgroups",
	  .type = OPT_FLAG,
	  .offset = AT(no_initgroups),
	  .initial = "false",
	  .help = "take none of the user's supplementary groups" },
	{ .name = "immediate-uid",
	  .type = OPT_STRING,
	  .offset = AT(immediate_uid),
	  .unit = "USER",
	  .valid = valid_user,
	  .help = "run as this user even before the sockets are open",
	  .example = "www-data" },
	{ .name = "immediate-gid",
	  .type = OPT_STRING,
	  .offset = AT(immediate_gid),
	  .unit = "GROUP",
	  .valid = valid_group,
	  .help = "run as this group even before the sockets are open",
	  .example = "www-data" },
	{ .name = "chroot",
	  .type = OPT_STRING,
	  .offset = AT(root),
	  .unit = "FOLDER",
	  .help = "make this the root folder of all processes before they give up root; the ini "
		  "file has to be there, too, to be reloaded",
	  .example = "/srv/jail" },
	{ .name = "cap",
	  .type = OPT_STRING,
	  .offset = AT(capabilities),
	  .unit = "NAMES",
	  .valid = valid_capabilities,
	  .help = "keep these capabilities when root is given up",
	  .example = "net_bind_service,setuid" },
	{ .name = "master-as-root",
	  .type = OPT_FLAG,
	  .offset = AT(master_as_root),
	  .initial = "false",
	  .help = "the master stays root, all other processes give it up" },
	{ .name = "drop-after-apps",
	  .type = OPT_FLAG,
	  .offset = AT(after_import),
	  .initial = "false",
	  .help = "give up root only when the application is imported, so import it as root" },
	{ .name = "no-new-privileges",
	  .type = OPT_FLAG,
	  .offset = AT(no_new),
	  .initial = "false",
	  .help = "what the application runs cannot gain rights by it: sudo, and programs that "
		  "send mail, do not work then" },
};
#undef AT

const struct option_table privileges_options = {
	.module = "privileges",
	.size = sizeof(struct privileges_settings),
	.rows = rows,
	.count = sizeof rows / sizeof *rows,
};

enum privileges_when privileges_when(const struct config *cfg)
{
	const struct privileges_settings *s = uwsgi_options(cfg, &privileges_options);

	if (s->after_import)
		return PRIVILEGES_AFTER_IMPORT;
	return s->master_as_root ? PRIVILEGES_CHILDREN : PRIVILEGES_ALL;
}

bool privileges_at_once(const struct config *cfg)
{
	const struct privileges_settings *s = uwsgi_options(cfg, &privileges_options);

	return s->immediate_uid || s->immediate_gid;
}

int privileges_find(const struct config *cfg, struct identity *who, struct error *e)
{
	const struct privileges_settings *s = uwsgi_options(cfg, &privileges_options);
	const char *uid = s->immediate_uid ? s->immediate_uid : s->uid;
	const char *gid = s->immediate_gid ? s->immediate_gid : s->gid;

	*who = (struct identity){ .uid = geteuid(), .gid = getegid() };
	if (uid && owner_user(uid, &who->uid, &who->gid, e))
		return -1;
	if (gid && owner_group(gid, &who->gid, e))
		return -1;
	who->changes = who->uid != geteuid() || who->gid != getegid();
	return 0;
}

static int set_groups(const struct privileges_settings *s, const struct identity *who,
		      struct error *e)
{
	const struct passwd *pw = getpwuid(who->uid);
	gid_t groups[256];
	int count = sizeof groups / sizeof *groups;

	if (pw && !s->no_initgroups) {
		if (getgrouplist(pw->pw_name, who->gid, groups, &count) < 0)
			return uwsgi_error_set(e, "user %s is in too many groups", pw->pw_name);
	} else {
		groups[0] = who->gid;
		count = 1;
	}
	for (size_t i = 0; i < s->add_gids.count; i++) {
		if ((size_t)count == sizeof groups / sizeof *groups)
			return uwsgi_error_set(e, "add-gid: too many groups");
		if (owner_group(s->add_gids.items[i], &groups[count++], e))
			return -1;
	}
	if (setgroups((size_t)count, groups))
		return uwsgi_error_set(e, "cannot set the supplementary groups: %s",
				       strerror(errno));
	return 0;
}

bool privileges_changes_root(const struct config *cfg)
{
	const struct privileges_settings *s = uwsgi_options(cfg, &privileges_options);

	return s->root != NULL;
}

int privileges_enter_root(const struct config *cfg, bool *entered, struct error *e)
{
	const struct privileges_settings *s = uwsgi_options(cfg, &privileges_options);

	*entered = s->root != NULL;
	if (s->root && (chroot(s->root) || chdir("/")))
		return uwsgi_error_set(e, "chroot = %s: %s", s->root, strerror(errno));
	return 0;
}

/* Another user's process is not ended with its parent any more, prctl(2) PR_SET_PDEATHSIG: asks for
 * that again where it was so. */
static void die_with_parent(int signal, pid_t parent)
{
	if (signal && (prctl(PR_SET_PDEATHSIG, signal) || getppid() != parent))
		raise(signal);
}

/* These capabilities, and no other; NULL: none. */
static int become_user(const struct identity *who, cap_t capabilities, struct error *e)
{
	/* They would be lost with root. */
	if (capabilities && prctl(PR_SET_KEEPCAPS, 1L, 0L, 0L, 0L))
		return uwsgi_error_set(e, "cap: cannot keep capabilities: %s", strerror(errno));
	if (setresgid(who->gid, who->gid, who->gid))
		return uwsgi_error_set(e, "cannot become group %ld: %s", (long)who->gid,
				       strerror(errno));
	if (setresuid(who->uid, who->uid, who->uid))
		return uwsgi_error_set(e, "cannot become user %ld: %s", (long)who->uid,
				       strerror(errno));
	if (capabilities) {
		if (cap_set_proc(capabilities))
			return uwsgi_error_set(e, "cap: cannot set these capabilities: %s",
					       strerror(errno));
		prctl(PR_SET_KEEPCAPS, 0L, 0L, 0L, 0L);
	} else if (who->uid != 0 && setuid(0) == 0) {
		return uwsgi_error_set(e, "root could be taken back after it was given up");
	}
	return 0;
}

/* The last step: from here on there is no way back. */
static int become(const struct identity *who, cap_t capabilities, struct error *e)
{
	pid_t parent = getppid();
	int signal = 0;

	prctl(PR_GET_PDEATHSIG, &signal);
	if (become_user(who, capabilities, e))
		return -1;
	die_with_parent(signal, parent);
	return 0;
}

static int change_user(const struct privileges_settings *s, const struct identity *who,
		       struct error *e)
{
	cap_t capabilities = NULL;

	if (geteuid() != 0) {
		if (who->changes)
			uwsgi_log(UWSGI_WARNING, "uid and gid are left as they are: only root can "
						 "change them");
		return 0;
	}
	if (!who->changes && s->add_gids.count == 0 && !s->capabilities)
		return 0;
	if (set_groups(s, who, e))
		return -1;
	if (s->capabilities && find_capabilities(s->capabilities, &capabilities, e))
		return -1;
	int failed = become(who, capabilities, e);
	if (capabilities)
		cap_free(capabilities);
	return failed;
}

int privileges_drop(const struct config *cfg, const struct identity *who, struct error *e)
{
	const struct privileges_settings *s = uwsgi_options(cfg, &privileges_options);

	if (change_user(s, who, e))
		return -1;
	/* Not by default: an ini file of uWSGI's may serve an application that runs sudo, or
	 * sendmail, which is set-user-ID or set-group-ID. */
	if (s->no_new && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return uwsgi_error_set(e, "no-new-privileges: %s", strerror(errno));
	return 0;
}

int privileges_give_up(const struct config *cfg, struct error *e)
{
	struct identity who;

	return privileges_find(cfg, &who, e) || privileges_drop(cfg, &who, e) ? -1 : 0;
}

int privileges_enter_child(const struct config *cfg, struct error *e)
{
	return privileges_when(cfg) == PRIVILEGES_ALL ? 0 : privileges_give_up(cfg, e);
}

int privileges_become(const char *user, const char *group, struct error *e)
{
	struct identity who = { .uid = geteuid(), .gid = getegid() };

	if ((user && owner_user(user, &who.uid, &who.gid, e)) ||
	    (group && owner_group(group, &who.gid, e)))
		return -1;
	const struct passwd *pw = user ? getpwuid(who.uid) : NULL;

	if (pw ? initgroups(pw->pw_name, who.gid) : setgroups(1, &who.gid))
		return uwsgi_error_set(e, "cannot set the supplementary groups: %s",
				       strerror(errno));
	return become(&who, NULL, e);
}

/* ---- for a program that takes the place of this one ---- */

uint64_t privileges_ambient(void)
{
	uint64_t bits = 0;

	for (cap_value_t v = 0; v <= CAP_LAST_CAP; v++)
		if (cap_get_ambient(v) == CAP_SET)
			bits |= UINT64_C(1) << v;
	return bits;
}

void privileges_set_ambient(uint64_t bits)
{
	for (cap_value_t v = 0; v <= CAP_LAST_CAP; v++)
		cap_set_ambient(v, bits >> v & 1 ? CAP_SET : CAP_CLEAR);
}

/* Root has all of them in any case. */
uint64_t privileges_inheritable(void)
{
	cap_t own = geteuid() != 0 ? cap_get_proc() : NULL;
	uint64_t bits = 0;

	for (cap_value_t v = 0; own && v <= CAP_LAST_CAP; v++) {
		cap_flag_value_t has = CAP_CLEAR;

		if (cap_get_flag(own, v, CAP_INHERITABLE, &has) == 0 && has == CAP_SET)
			bits |= UINT64_C(1) << v;
	}
	if (own)
		cap_free(own);
	return bits;
}
