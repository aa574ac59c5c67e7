/* SPDX-License-Identifier: MIT */
/* main.c: from the command line to the running master: loads plugins and configuration, opens
 * what needs privileges, gives them up, and hands over.  Only here, in command.c and right
 * after a fork is a process ended. */
#include "entry/check_app.h"
#include "entry/check_files.h"
#include "entry/command.h"
#include "entry/moving.h"
#include "entry/status.h"
#include "process/alarm.h"
#include "process/budget.h"
#include "process/cheaper.h"
#include "process/emperor.h"
#include "settings/config.h"
#include "entry/daemon.h"
#include "process/drain.h"
#include "process/environment.h"
#include "process/generation.h"
#include "settings/help.h"
#include "work/lane.h"
#include "process/limit.h"
#include "work/applications.h"
#include "work/loader.h"
#include "log/logging.h"
#include "process/attached.h"
#include "process/chores.h"
#include "process/master.h"
#include "wire/passed.h"
#include "process/pidfile.h"
#include "process/resources.h"
#include "process/takeover.h"
#include "settings/show.h"
#include "settings/source.h"
#include "process/proctitle.h"
#include "settings/lint.h"
#include "exchange/trace.h"
#include "exchange/trust.h"
#include "work/hooks.h"
#include "work/worker.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* In the order of --help; those of plugins stand behind. */
static const struct option_table *const core_tables[] = {
	&lint_table,          &config_table,       &loader_options,    &listener_options,
	&worker_options,      &header_options,     &lane_options,      &harakiri_options,
	&limits_options,      &trust_options,      &trace_options,     &master_options,
	&environment_options, &privileges_options, &resources_options, &pidfile_options,
	&logging_options,     &requestlog_options, &proctitle_options, &attached_options,
	&cheaper_options,     &budget_options,     &drain_options,     &alarm_options,
	&emperor_options,     &hooks_options,     &chores_options,    &crontab_options,
	&fifo_options,
};
enum { CORE_TABLES = sizeof core_tables / sizeof *core_tables };

struct tables {
	const struct option_table *items[CORE_TABLES + LOADER_TABLES];
	size_t count;
};

static void collect_tables(struct tables *t, const struct loader *ld)
{
	memcpy(t->items, core_tables, sizeof core_tables);
	t->count = CORE_TABLES + loader_tables(ld, t->items + CORE_TABLES);
}

/* Loads the plugins that the configuration needs, as far as its keys are known.  Whether there are
 * any that were not there. */
static bool load_plugins(const struct invocation *invocation, struct loader *ld,
			 struct report *report)
{
	struct tables tables;
	struct report of_keys;
	size_t before = ld->plugins.count;

	collect_tables(&tables, ld);
	report_init(&of_keys);
	struct config *keys = config_read(invocation, tables.items, tables.count, &of_keys);
	report_fini(&of_keys);
	if (keys) {
		loader_load_configured(ld, keys, report);
		loader_load_needed(ld, keys, report);
	}
	config_free(keys);
	return ld->plugins.count > before;
}

/* Until it is known which there are: plugins have options that conditions ask about, and files that
 * are then read may name others. */
static void load_all_plugins(const struct invocation *invocation, struct loader *ld,
			     struct report *report)
{
	struct report unsaid;

	report_init(&unsaid);
	while (load_plugins(invocation, ld, &unsaid))
		;
	report_fini(&unsaid);
	load_plugins(invocation, ld, report);
}

/* Plugins bring options that the configuration may use: so its keys are read first, and it is loaded
 * when all tables are there.  NULL when memory is out; with an error in the report it is only to be
 * shown. */
static struct config *load_rest(const struct invocation *invocation, struct loader *ld,
				struct report *report)
{
	struct tables tables;

	if (invocation->argc > 0 && !invocation->is_reload)
		loader_load_by_program_name(ld, invocation->argv[0]);
	load_all_plugins(invocation, ld, report);
	/* What else is wrong is said, too: the settings are read all the same. */
	collect_tables(&tables, ld);
	return config_load(invocation, tables.items, tables.count, report);
}

/* NULL: the report has an error. */
static struct config *load_all(const struct invocation *invocation, struct loader *ld,
			       struct report *report)
{
	struct config *cfg = load_rest(invocation, ld, report);

	if (!report->errors)
		return cfg;
	config_free(cfg);
	return NULL;
}

static struct config *load_and_report(const struct invocation *invocation, struct loader *ld)
{
	struct report report;

	report_init(&report);
	struct config *cfg = load_all(invocation, ld, &report);
	logging_use(cfg); /* what is wrong has its time in the log, too */
	report_print(&report);
	report_fini(&report);
	if (cfg)
		config_print(cfg);
	return cfg;
}

/* start_folder NULL: the application is not imported. */
static int check_runner(const struct config *cfg, const struct loader *ld, const char *start_folder,
			struct error *e)
{
	const struct limits_settings *s = uwsgi_options(cfg, &limits_options);
	const struct app *app = applications_find(ld, cfg, e);

	/* An emperor may have none. */
	if (!app && emperor_is_named(cfg))
		return 0;
	if (!app || !start_folder)
		return app ? 0 : -1;
	return check_app(cfg, app, start_folder, s->reload_timeout_s, e);
}

/* Whether the server would start with this configuration, as far as that can be told without
 * doing it; with app also whether the application can be imported. */
static int check(const struct invocation *invocation, struct loader *ld, const char *format,
		 bool app)
{
	bool json = format && strcmp(format, "json") == 0;
	struct report report;
	struct error e;

	report_init(&report);
	report.thorough = true;
	struct config *cfg = load_all(invocation, ld, &report);
	if (cfg && check_runner(cfg, ld, app ? invocation->cwd : NULL, &e))
		report_add(&report, UWSGI_ERROR, (struct origin){ 0 }, "%s", e.text);
	if (cfg && config_exit(cfg) < 0)
		check_files(cfg, invocation->cwd, &report);
	if (cfg && !json)
		config_print(cfg);
	if (cfg && config_exit(cfg) >= 0)
		report_add(&report, UWSGI_NOTE, (struct origin){ 0 },
			   "the server would end at once with exit code %d", config_exit(cfg));
	report_sort_by_severity(&report);
	if (json)
		report_print_json(&report);
	else
		report_print(&report);
	size_t errors = report.errors, warnings = report_count(&report, UWSGI_WARNING);
	if (!json)
		uwsgi_log(UWSGI_NOTE, "configuration: %zu error%s, %zu warning%s", errors,
			  errors == 1 ? "" : "s", warnings, warnings == 1 ? "" : "s");
	config_free(cfg);
	report_fini(&report);
	return errors ? EXIT_FAILURE : EXIT_SUCCESS;
}

static int show_config(const struct invocation *invocation, struct loader *ld, const char *format)
{
	struct report report;

	report_init(&report);
	struct config *cfg = load_rest(invocation, ld, &report);
	report_print(&report);
	if (cfg) {
		config_print(cfg);
		if (format && strcmp(format, "json") == 0)
			show_json(cfg, stdout);
		else
			show_text(cfg, stdout);
	}
	config_free(cfg);
	bool wrong = report.errors > 0;
	report_fini(&report);
	return wrong ? EXIT_FAILURE : EXIT_SUCCESS;
}

static void say_hello(const struct master_setup *setup)
{
	const struct worker_settings *s = uwsgi_options(setup->config, &worker_options);
	const struct listeners *listeners = &setup->listeners;
	struct error e;
	const struct app *app = applications_find(setup->loader, setup->config, &e);
	bool takes_requests = !listeners_take_nothing(listeners);

	if (!takes_requests)
		uwsgi_log(UWSGI_NOTE, "uwsgi %s, pid %ld, an emperor", UWSGI_VERSION,
			  (long)getpid());
	else
		uwsgi_log(UWSGI_NOTE,
			  "uwsgi %s, pid %ld, application plugin %s, %lld process%s × %lld "
			  "thread%s",
			  UWSGI_VERSION, (long)getpid(), app->name, s->processes,
			  s->processes == 1 ? "" : "es", s->threads, s->threads == 1 ? "" : "s");
	for (size_t i = 0; i < listeners->count; i++) {
		const struct listener *l = &listeners->items[i];

		if (l->internal)
			continue;
		uwsgi_log(UWSGI_NOTE, "%s listens on %s%s%s%s", l->option, l->text.address,
			  l->text.port[0] ? ":" : "", l->text.port,
			  l->passed ? ", passed on by the service manager" : "");
	}
	if (takes_requests && !config_directive(setup->config, "limit-post"))
		uwsgi_log(UWSGI_NOTE,
			  "request bodies may have up to 1 GiB; limit-post sets another "
			  "limit");
	if (takes_requests && geteuid() == 0)
		uwsgi_log(UWSGI_WARNING, "running as root: set uid and gid");
}

/* As who the server is now, and from where it sees the world. */
static int open_late_log(const struct config *cfg, struct logfile *log, bool jailed,
			 struct error *e)
{
	if (jailed)
		log->start_folder = "/";
	return logfile_start(log, cfg, true, e);
}

/* As soon as there is a pidfile, --reload finds the server: its signal waits for the master. */
static void hold_reloads(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
}

static void say_what_is_missing(const struct invocation *invocation, struct error *e)
{
	uwsgi_error_set(e, "nothing to listen on: %s",
			invocation->argc > 1 ? "set http-socket (for instance --http-socket "
					       "127.0.0.1:8080), or socket behind nginx"
					     : "no configuration is named; write uwsgi FILE.ini, "
					       "or uwsgi --http-socket 127.0.0.1:8080 "
					       "--module app:app; uwsgi --help tells more");
}

/* Before anything is opened: what they make may be the folder of a socket.  What is done as root is done
 * within the root folder of chroot=, where there is one. */
static int run_early_hooks(const struct config *cfg, struct error *e)
{
	static const enum hook_phase phases[] = { HOOK_ASAP, HOOK_PRE_JAIL, HOOK_POST_JAIL,
						  HOOK_IN_JAIL };
	int end = 0;

	for (size_t i = 0; i < sizeof phases / sizeof *phases && !end; i++)
		end = hooks_run(cfg, phases[i], e);
	if (!end)
		end = hooks_wait(cfg, e);
	return end || privileges_changes_root(cfg) ? end : hooks_run(cfg, HOOK_AS_ROOT, e);
}

/* Where root is given up by other processes, they do what is to be done then. */
static int run_user_hooks(const struct config *cfg, struct error *e)
{
	return privileges_when(cfg) == PRIVILEGES_ALL ? hooks_run(cfg, HOOK_AS_USER, e) : 0;
}

/* The last step; 1 and more, as hooks_run(). */
static int give_up_root(const struct config *cfg, const struct identity *who, struct error *e)
{
	bool now = privileges_when(cfg) == PRIVILEGES_ALL && !privileges_at_once(cfg);
	bool was_root = geteuid() == 0;

	if (now && privileges_drop(cfg, who, e))
		return -1;
	return now && was_root ? run_user_hooks(cfg, e) : 0;
}

/* The sockets, as root where the configuration does not want it otherwise. */
static int open_sockets(const struct config *cfg, const struct loader *ld,
			const struct invocation *invocation, struct master_setup *setup,
			struct error *e)
{
	struct listeners *listeners = &setup->listeners;

	if (listeners_open(listeners, cfg, &ld->plugins, &setup->passed, e))
		return -1;
	if (generation_check(ld, cfg, listeners, e)) {
		if (listeners_take_nothing(listeners))
			say_what_is_missing(invocation, e);
		listeners_close(listeners, NULL, true);
		return -1;
	}
	return 0;
}

/* From here on the server is where and who it will be; 1 and more, as hooks_run(). */
static int settle(const struct config *cfg, const struct identity *who,
		  struct invocation *invocation, struct master_setup *setup, struct error *e)
{
	/* Its emperor would take a vassal that goes to the background for one that has ended. */
	bool stays = setup->emperor.fd >= 0, jailed = false;
	int end;

	setup->log->uid = who->uid;
	setup->log->gid = who->gid;
	if ((!stays && (end = daemon_enter_waited(cfg, &setup->served, e))) ||
	    (end = logfile_start(setup->log, cfg, false, e)) ||
	    (!stays && (end = daemon_enter(cfg, e))) ||
	    (end = pidfiles_write(setup->pidfiles, false, who, e)) ||
	    (end = privileges_enter_root(cfg, &jailed, e)) ||
	    (jailed && (end = hooks_run(cfg, HOOK_AS_ROOT, e))) ||
	    (end = give_up_root(cfg, who, e)) ||
	    (end = pidfiles_write(setup->pidfiles, true, who, e)) ||
	    (end = open_late_log(cfg, setup->log, jailed, e)) ||
	    /* Before signals are blocked: a command that hangs can be ended with the server. */
	    (end = hooks_run(cfg, HOOK_MASTER_START, e)))
		return end;
	if (jailed)
		invocation->cwd = "/";
	return 0;
}

/* All that may fail before the server is on its way; the configuration stays the caller's.  0; -1 with the
 * reason; 1 and more: a hook wants the server to end, as hooks_run(). */
static int prepare(const struct config *cfg, const struct loader *ld, struct invocation *invocation,
		   struct master_setup *setup, struct error *e)
{
	bool at_once = privileges_at_once(cfg);
	struct identity who;
	int end;

	/* Whether an emperor needs one, its sockets say. */
	if (!emperor_is_named(cfg) && !applications_find(ld, cfg, e))
		return -1;
	if ((end = run_early_hooks(cfg, e)))
		return end;
	if (privileges_find(cfg, &who, e))
		return -1;
	environment_set_umask(cfg);
	resources_set_descriptors(cfg);
	if (environment_enter_folder(cfg, invocation->cwd, e) ||
	    (at_once && privileges_drop(cfg, &who, e)))
		return -1;
	if ((at_once || geteuid() != 0) && (end = run_user_hooks(cfg, e)))
		return end;
	if (open_sockets(cfg, ld, invocation, setup, e))
		return -1;
	hold_reloads();
	end = settle(cfg, &who, invocation, setup, e);
	if (end)
		listeners_close(&setup->listeners, NULL, true);
	return end;
}

/* By its path, so that an upgrade of the server is one of its vassals, too. */
static const char *find_binary(char *path, size_t size)
{
	return loader_find_binary(path, size) ? path : "/proc/self/exe";
}

static int serve(struct invocation *invocation, struct loader *ld)
{
	struct logfile log;
	struct pidfiles pidfiles;
	struct master_setup setup = { .invocation = invocation,
				      .loader = ld,
				      .load = load_all,
				      .log = &log,
				      .pidfiles = &pidfiles,
				      .started = getpid(),
				      .served = -1,
				      .hello = say_hello };
	char binary[4096];
	struct error e;

	setup.binary = find_binary(binary, sizeof binary);
	allegiance_find(&setup.emperor);
	if (passed_take(&setup.passed, &e)) {
		uwsgi_log(UWSGI_ERROR, "%s", e.text);
		return EXIT_FAILURE;
	}
	setup.config = load_and_report(invocation, ld);
	if (!setup.config)
		return EXIT_FAILURE;
	notify_init(&setup.notify);
	if (config_wants_showing(setup.config))
		show_text(setup.config, stderr);
	int asked = config_exit(setup.config);
	if (asked >= 0) {
		uwsgi_log(UWSGI_NOTE, "the configuration says exit = %d", asked);
		config_free(setup.config);
		return asked;
	}
	logfile_init(&log, invocation->cwd);
	logfile_configure(&log, setup.config);
	pidfiles_find(&pidfiles, setup.config, invocation->cwd);
	int end = prepare(setup.config, ld, invocation, &setup, &e);
	if (end) {
		if (end < 0)
			uwsgi_log(UWSGI_ERROR, "%s", e.text);
		pidfiles_remove(&pidfiles);
		config_free(setup.config);
		return end < 0 ? EXIT_FAILURE : end - 1;
	}
	int exit_code = master_run(&setup);
	pidfiles_remove(&pidfiles);
	return exit_code;
}

static void say_takeover(const struct master_setup *setup)
{
	uwsgi_log(UWSGI_NOTE, "uwsgi %s, pid %ld, has taken over from the old program",
		  UWSGI_VERSION, (long)setup->started);
}

/* What was tried goes with the process. */
static _Noreturn void end_rehearsal(const char *why_not)
{
	printf("%s\n", why_not ? why_not : TAKEOVER_YES);
	fflush(stdout);
	_exit(why_not ? EXIT_FAILURE : EXIT_SUCCESS);
}

/* A server that runs is this process's from now on, or (rehearsal) could be. */
static int take_over(struct invocation *invocation, struct loader *ld, int state, bool rehearsal)
{
	struct logfile log;
	struct pidfiles pidfiles = { 0 };
	struct carry taken;
	struct master_setup setup = { .invocation = invocation,
				      .loader = ld,
				      .load = load_all,
				      .log = &log,
				      .pidfiles = &pidfiles,
				      .notify = { .fd = -1 },
				      .emperor = { .fd = -1 },
				      .started = getpid(),
				      .served = -1,
				      .taken = &taken,
				      .hello = say_takeover };
	struct arena words;
	struct error e;
	char binary[4096];
	int exit_code = EXIT_FAILURE;

	setup.binary = find_binary(binary, sizeof binary);
	arena_init(&words);
	bool failed = carry_receive(&taken, state, state_form(), &e) != 0;
	close(state);
	if (!failed) {
		taken.rehearsal = rehearsal;
		logfile_init(&log, invocation->cwd);
		state_carry_start(&taken, invocation, &words, &log, &pidfiles, &setup.cause);
		log.start_folder = invocation->cwd;
		if (!rehearsal)
			exit_code = master_run(&setup);
		else
			failed = master_rehearse(&setup, &e) != 0;
		carry_fini(&taken);
	}
	if (rehearsal)
		end_rehearsal(failed ? e.text : NULL);
	if (failed)
		uwsgi_log(UWSGI_ERROR, "cannot take over from the old program: %s", e.text);
	pidfiles_remove(&pidfiles);
	arena_fini(&words);
	return exit_code;
}

/* --ini - and --json=-: kept, because a reload reads everything again. */
static void keep_input(struct invocation *invocation)
{
	struct error e;
	bool named = false;

	for (int i = 1; i < invocation->argc; i++) {
		const char *word = invocation->argv[i];
		size_t n = strlen(word);

		named = named || strcmp(word, "-") == 0 || (n > 2 && !strcmp(word + n - 2, "=-"));
	}
	if (!named)
		return;
	invocation->input.p = source_read("/dev/stdin", &invocation->input.n, &e);
	if (!invocation->input.p)
		uwsgi_log(UWSGI_ERROR, "standard input: %s", e.text);
}

static bool has_plugin(const void *plugins, const char *name)
{
	return loader_has(plugins, name);
}

/* Without the tables that have names alone, those of plugins whose file is missing. */
static void collect_whole_tables(struct tables *t, const struct loader *ld)
{
	size_t all;

	collect_tables(t, ld);
	all = t->count;
	t->count = 0;
	for (size_t i = 0; i < all; i++)
		if (t->items[i]->size)
			t->items[t->count++] = t->items[i];
}

/* What there is to say of all plugins of the build. */
static int tell(const struct command *command, struct loader *ld)
{
	struct tables tables;

	loader_load_profile(ld);
	collect_whole_tables(&tables, ld);
	switch (command->kind) {
	case COMMAND_HELP:
		if (command->argument)
			return help_explain(tables.items, tables.count, command->argument);
		help_print(tables.items, tables.count);
		break;
	case COMMAND_HELP_ALL:
		help_print_all(tables.items, tables.count);
		break;
	case COMMAND_HELP_JSON:
		help_print_json(tables.items, tables.count);
		break;
	default:
		manifest_write(stdout, ld->items, ld->plugins.count);
	}
	return EXIT_SUCCESS;
}

static struct command find_command(int argc, char **argv, const struct loader *ld)
{
	struct tables tables;

	collect_tables(&tables, ld);
	const struct catalogue catalogue = { .tables = tables.items, .count = tables.count };

	return command_line_find(&catalogue, argc, argv);
}

static int show_status(const struct command *command, struct loader *ld)
{
	bool json = command->argument && strcmp(command->argument, "json") == 0;
	/* --status=PIDFILE is understood, too. */
	const char *pidfile = command->argument && !json ? command->argument : command->operand;

	if (command->kind == COMMAND_TOP)
		return status_show(ld, pidfile, SHOW_TOP);
	return status_show(ld, pidfile, json ? SHOW_JSON : SHOW_TEXT);
}

/* What the command line asks for; its exit code. */
static int run(int argc, char **argv, struct loader *ld)
{
	char cwd[4096];
	struct invocation invocation = { .argc = argc,
					 .argv = argv,
					 .environ_ = environ,
					 .cwd = getcwd(cwd, sizeof cwd) ? cwd : "/",
					 .has_plugin = has_plugin,
					 .plugins = ld };

	loader_learn_profile(ld);
	int state = takeover_descriptor();
	if (state >= 0)
		return take_over(&invocation, ld, state, false);
	const struct command command = find_command(argc, argv, ld);
	/* Its words are not ours: `-` is no file to read. */
	if (command.kind == COMMAND_MIGRATE)
		return moving_run(command.rest);
	keep_input(&invocation);
	switch (command.kind) {
	case COMMAND_RELOAD:
		return command_reload(command.argument, command.wait);
	case COMMAND_STOP:
		return command_stop(command.argument, command.wait);
	case COMMAND_STATUS:
	case COMMAND_TOP:
		return show_status(&command, ld);
	case COMMAND_VERSION:
		return command_version();
	case COMMAND_HELP:
	case COMMAND_HELP_ALL:
	case COMMAND_HELP_JSON:
	case COMMAND_MANIFEST:
		return tell(&command, ld);
	case COMMAND_CHECK_TAKEOVER:
		return take_over(&invocation, ld, atoi(command.argument), true);
	case COMMAND_CHECK:
	case COMMAND_CHECK_APP:
		return check(&invocation, ld, command.argument, command.kind == COMMAND_CHECK_APP);
	case COMMAND_SHOW_CONFIG:
		return show_config(&invocation, ld, command.argument);
	case COMMAND_MIGRATE:
	case COMMAND_SERVE:
	case COMMAND_WAIT:
	case COMMAND_NO_WAIT:
		break;
	}
	logging_use(NULL);
	return serve(&invocation, ld);
}

int main(int argc, char **argv)
{
	struct loader ld;

	if (daemon_fill_standard_descriptors())
		return EXIT_FAILURE;
	char **moved = proctitle_init(argc, argv);
	loader_init(&ld);
	int exit_code = run(argc, moved ? moved : argv, &ld);

	loader_fini(&ld);
	proctitle_fini(moved);
	return exit_code;
}
