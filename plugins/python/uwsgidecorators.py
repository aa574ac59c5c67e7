# SPDX-License-Identifier: MIT
"""Decorators for functions that the server calls, with the names of uWSGI's module.  The server has it
inside (decorators.c); there is no file to install."""
import functools
import threading
import traceback

import uwsgi

__all__ = ["harakiri", "postfork", "thread"]

_MECHANISMS = {
    "Erlang": "erlang",
    "uwsgi signals": "cron filemon rbtimer signal timer",
    "locks for applications": "lock",
    "mules": "farm farm_loop mule mulefunc muleloop mulemsg mulemsg_loop",
    "RPC": "rpc",
    "spooler": "spool spoolforever spoolraw",
}
_MISSING = {name: mechanism for mechanism, names in _MECHANISMS.items() for name in names.split()}


def __getattr__(name):
    """What is missing is an ImportError, also for hasattr(): code that can do without catches that, often
    around `import uwsgidecorators` and what it decorates, as in django-post-office's documentation."""
    if name in _MISSING:
        raise ImportError(f"uwsgidecorators.{name} is not there: this server has no {_MISSING[name]}",
                          name=__name__)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


# A function that is the hook already is called first.
postfork_chain = list(filter(None, [getattr(uwsgi, "post_fork_hook", None)]))


def _call_chain():
    """One that fails does not keep the others from running."""
    for function in postfork_chain:
        try:
            function()
        except Exception:
            uwsgi.log(f"exception in a postfork function:\n{traceback.format_exc().rstrip()}")


uwsgi.post_fork_hook = _call_chain


def postfork(worker=0):
    """@postfork: called in each new worker, in the order of the file.  @postfork(2): in worker 2 only."""
    if callable(worker):
        return postfork()(worker)

    def add(function):
        postfork_chain.append(lambda: worker in (0, uwsgi.worker_id()) and function())
        return function
    return add


def thread(function):
    """Its calls return at once, and a daemon thread runs it."""
    @functools.wraps(function)
    def start(*args, **kwargs):
        threading.Thread(target=function, args=args, kwargs=kwargs, daemon=True).start()
        return function
    return start


def harakiri(seconds):
    """The request is given up when a call takes longer."""
    def limit(function):
        @functools.wraps(function)
        def limited(*args, **kwargs):
            uwsgi.set_user_harakiri(seconds)
            try:
                return function(*args, **kwargs)
            finally:
                uwsgi.set_user_harakiri(0)
        return limited
    return limit
