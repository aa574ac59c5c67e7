# SPDX-License-Identifier: MIT
"""Looks at processes through /proc."""
import contextlib
import ctypes
import os
import signal

from lib.wait import until

PR_SET_CHILD_SUBREAPER = 36


def adopt_orphans():
    """Whatever the servers leave behind becomes a child of the test run, where it is seen."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _read(pid, name):
    try:
        with open(f"/proc/{pid}/{name}", "rb") as f:
            return f.read().decode(errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return ""


def _stat(pid):
    """Fields of /proc/pid/stat behind the name: state, ppid, …"""
    return _read(pid, "stat").rpartition(")")[2].split()


def alive(pid):
    fields = _stat(pid)
    return bool(fields) and fields[0] not in "ZX"


def stands_still(pid):
    """Whether it was stopped by a signal, or has ended."""
    fields = _stat(pid)
    return not fields or fields[0] in "TZX"


def children(pid):
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit():
            fields = _stat(name)
            if fields and int(fields[1]) == pid:
                found.append(int(name))
    return found


def descendants(pid):
    found = []
    for child in children(pid):
        found += [child, *descendants(child)]
    return found


def title(pid):
    return _read(pid, "cmdline").replace("\0", " ").strip()


def status(pid, field):
    """The words of one line of /proc/pid/status."""
    for line in _read(pid, "status").splitlines():
        name, _, rest = line.partition(":")
        if name == field:
            return rest.split()
    return []


def open_files(pid):
    try:
        numbers = os.listdir(f"/proc/{pid}/fd")
    except FileNotFoundError:
        return []
    found = []
    for fd in numbers:
        # Closed since, or the process is gone, which may read as one that nobody may look into.
        with contextlib.suppress(FileNotFoundError, ProcessLookupError, PermissionError):
            found.append(os.readlink(f"/proc/{pid}/fd/{fd}"))
    return found


def stop(pid):
    """Stops it, until it is told to go on.  Its threads stop one after the other."""
    os.kill(pid, signal.SIGSTOP)
    until(lambda: all(_stat(f"{pid}/task/{thread}")[:1] in ([], ["T"])
                      for thread in os.listdir(f"/proc/{pid}/task")), f"process {pid} to stop")


def wait_gone(pid, seconds=10):
    """Until it has ended; a zombie that is ours is reaped."""
    def gone():
        try:
            os.waitpid(pid, os.WNOHANG)
        except ChildProcessError:
            pass
        return not alive(pid)
    until(gone, f"process {pid} to end", seconds)


def kill_all(pids):
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    for pid in pids:
        wait_gone(pid)
