# SPDX-License-Identifier: MIT
"""hooks.py: gunicorn's server hooks, functions of its configuration file, and what does the same here:
the master runs no Python, so each is said, with the lines to write."""

POSTFORK = ("write into the application: from uwsgidecorators import postfork, and @postfork above a "
            "function without parameters, which each worker runs ")
DIRTY = ("there are no dirty workers here",)
# Name: (sentence, option of a line to take in, its value).
HOOKS = {
    "on_starting": ("runs before anything is opened, as a command", "hook-asap",
                    "exec:/path/to/command"),
    "on_reload": ("runs before the application is imported, at the start and at each reload, as a "
                  "command", "hook-pre-app", "exec:/path/to/command"),
    "when_ready": ("runs when the workers accept for the first time, as a command", "on-ready",
                   "/path/to/command"),
    "pre_fork": ("nothing of the application's runs in the master; what it prepared for all workers "
                 "belongs into the module of the application, which is imported before the fork "
                 "without lazy-apps",),
    "post_fork": (POSTFORK + "when it has been forked; uwsgi.worker_id() is its number",),
    "post_worker_init": (POSTFORK + "before it takes requests, and with lazy-apps when it has "
                         "imported the application",),
    "worker_int": ("write atexit.register(function) into the application; it runs in each worker "
                   "that ends normally",),
    "worker_abort": ("is not needed to see where a request hangs: harakiri logs its traceback",),
    "pre_exec": ("has no counterpart: a reload does not end the program that serves",),
    "pre_request": ("is a WSGI middleware: what it did stands before the call of the application",),
    "post_request": ("is a WSGI middleware: what it did stands in close() of the answer",),
    "child_exit": ("nothing runs in the master when a worker has ended. For prometheus_client: "
                   "write atexit.register(lambda: multiprocess.mark_process_dead(os.getpid())) into "
                   "the application",),
    "worker_exit": ("write atexit.register(function) into the application; it runs in each worker "
                    "that ends normally",),
    "nworkers_changed": ("has no counterpart: the log says how many workers there are, and "
                         "/metrics counts them",),
    "on_exit": ("runs when the server ends, as a command", "hook-as-user-atexit",
                "exec:/path/to/command"),
    "ssl_context": ("TLS is nginx's or Apache's here",),
    "on_dirty_starting": DIRTY, "dirty_post_fork": DIRTY, "dirty_worker_init": DIRTY,
    "dirty_worker_exit": DIRTY,
}


def carry_over(ini, name, source):
    sentence, *line = HOOKS[name]
    if line:
        ini.suggest(*line, source, sentence)
    ini.lack(source, sentence + (f" ({line[0]} = …)" if line else ""))
