# SPDX-License-Identifier: MIT
"""The server under test: one process tree started from an ini text in a folder of its own."""
import atexit
import glob
import os
import re
import shlex
import shutil
import signal
import subprocess
import tempfile
import textwrap

from lib import files, proc
from lib.address import accepts, free_address
from lib.faults import Faults
from lib.wait import until

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def _copy_apps():
    """t/apps in a folder that every user can enter: servers give up root, and a clone may lie in
    /root, where only root can read."""
    folder = tempfile.mkdtemp(prefix="uwsgi-apps-")
    os.chmod(folder, 0o755)
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    shutil.copytree(os.path.join(ROOT, "t", "apps"), f"{folder}/apps",
                    ignore=shutil.ignore_patterns("__pycache__"))
    for path, folders, files in os.walk(f"{folder}/apps"):
        for name in (path, *(os.path.join(path, n) for n in [*folders, *files])):
            os.chmod(name, 0o755 if os.path.isdir(name) else 0o644)
    return f"{folder}/apps"


APPS = _copy_apps()
COMMAND = shlex.split(os.environ.get("UWSGI_BIN", os.path.join(ROOT, "uwsgi")))
READY = r"(serving|reloaded): (\d+ workers?|an emperor)"
REPORT = re.compile(r"(Address|Leak|Thread|Memory|UndefinedBehavior)Sanitizer|runtime error:")

DATE = re.compile(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d [+-]\d{4} - ", re.M)

# Nothing of the caller's reaches the server but what a shell needs.
BASE_ENV = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8", "HOME": "/tmp",
            "PYTHONDONTWRITEBYTECODE": "1",
            "ASAN_OPTIONS": "abort_on_error=1:" + os.environ.get("ASAN_OPTIONS", ""),
            "UBSAN_OPTIONS": "print_stacktrace=1",
            # A worker in which a thread hangs ends without the others.
            "TSAN_OPTIONS": "halt_on_error=0:report_thread_leaks=0"}


def undated(log):
    """Lines of a log without the time that they begin with by default."""
    return DATE.sub("", log)


def command(*args):
    """The binary as a command that ends by itself."""
    return subprocess.run([*COMMAND, *args], env=BASE_ENV, capture_output=True, text=True,
                          timeout=20, check=False)


def command_for_all(folder):
    """The binary where every user can run it, with its plugins."""
    if COMMAND[0] != os.path.join(ROOT, "uwsgi"):
        return COMMAND
    shutil.copy(COMMAND[0], f"{folder}/uwsgi")
    for path in glob.glob(f"{ROOT}/plugins/*/*_plugin.so"):
        where = f"{folder}/{os.path.relpath(os.path.dirname(path), ROOT)}"
        os.makedirs(where)
        shutil.copy(path, where)
    shutil.copy(f"{ROOT}/plugins/manifest", f"{folder}/plugins")
    return [f"{folder}/uwsgi", *COMMAND[1:]]


class Names(dict):
    """What stands in braces in an ini text: {http} is a free address and the same one each time,
    {http_unix} a socket in the server's folder, {here} that folder, {apps} a copy of t/apps."""

    def __init__(self, folder, **given):
        super().__init__(here=folder, apps=APPS, **given)

    def __missing__(self, name):
        value = f"{self['here']}/{name}.sock" if name.endswith("unix") else free_address()
        self[name] = value
        return value


class Server:
    """ini: lines of the [uwsgi] section, or a whole file when it has sections of its own.
    faults: rules of lib/faults.py, "" for none yet; they can be changed by server.faults.
    under: a command that runs it, such as prlimit."""
    command = COMMAND
    ready = READY

    def __init__(self, folder, ini="", args=(), env=None, plain=False, faults=None, under=(),
                 **names):
        self.folder = str(folder)
        self.names = Names(self.folder, **names)
        self.ini_path = f"{self.folder}/uwsgi.ini"
        self.log_path = f"{self.folder}/log"
        self.plain = plain
        self.under = under
        self.args = [a.format_map(self.names) for a in args]
        self.env = {**BASE_ENV, **{k: v.format_map(self.names) for k, v in (env or {}).items()}}
        self.faults = None
        if faults is not None:
            self.faults = Faults(self.folder, faults)
            self.env.update(self.faults.env())
            self.args.append("--auto-procname")  # by which faults.c knows who calls
        self.process = None
        self.log_from = os.path.getsize(self.log_path) if os.path.exists(self.log_path) else 0
        self.write_ini(ini)

    def write_ini(self, ini):
        text = textwrap.dedent(ini).format_map(self.names)
        if not self.plain and "[" not in text.split("=")[0]:
            text = f"[uwsgi]\npythonpath = {APPS}\n{text}"
        files.replace(self.ini_path, text)

    def __getattr__(self, name):
        names = self.__dict__.get("names", {})
        if name in names:
            return names[name]
        raise AttributeError(name)

    # ---- life ----

    def spawn(self):
        ini = [] if self.plain else ["--ini", self.ini_path]
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                [*self.under, *self.command, *ini, *self.args],
                cwd=self.folder, env=self.env, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True)
        return self

    def start(self):
        self.spawn()
        until(lambda: self.ended() or re.search(self.ready, self.log()), "the server to be ready",
              30)
        assert not self.ended(), f"ended with {self.process.poll()}:\n{self.log()}"
        return self

    def run(self, seconds=20):
        """For a command that ends by itself; its exit code."""
        self.spawn()
        return self.wait(seconds)

    def wait(self, seconds=20):
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"did not end in {seconds} s:\n{self.log()}") from None

    def ended(self):
        return self.process.poll() is not None

    @property
    def pid(self):
        return self.process.pid

    def send(self, number):
        os.kill(self.pid, number)

    def stop(self, number=signal.SIGINT, seconds=10):
        if self.process and not self.ended():
            self.send(number)
            self.wait(seconds)
        return self.process.returncode if self.process else None

    def end(self):
        """For the teardown: stops what runs; what does not stop is an error."""
        if not self.process:
            return
        family = proc.descendants(self.pid)
        try:
            self.stop()
            for pid in family:
                proc.wait_gone(pid)
        finally:
            proc.kill_all([p for p in [*family, self.pid] if proc.alive(p)])
            self.process.wait()
        assert not REPORT.search(self.log()), f"a sanitizer spoke:\n{self.log()}"

    # ---- reload ----

    def hup(self):
        """Asks for a reload and waits for how it ends; True when the new generation serves."""
        seen = len(self.log())
        self.send(signal.SIGHUP)
        match = until(lambda: re.search(r"reloaded: (\d+ worker|an emperor)|reload given up: .*",
                                        self.log()[seen:]), "the end of the reload", 30)
        return match[0].startswith("reloaded")

    # ---- what can be seen ----

    def told(self):
        """What the master says now of its processes.  Asked twice: when the answer begins again, the
        first one is whole."""
        seen = len(self.log())

        def said():
            return self.log()[seen:]
        self.send(signal.SIGUSR1)
        begins = until(lambda: re.search(r"^generation \d+ began ", said(), re.M), "an answer")[0]
        self.send(signal.SIGUSR1)
        until(lambda: said().count(begins) > 1, "the next answer")
        return said()[:said().rindex(begins)]

    def log(self):
        """What this server has written, without the time; a folder may have had another one
        before."""
        return undated(self.dated_log())

    def dated_log(self):
        with open(self.log_path, "rb") as f:
            f.seek(self.log_from)
            return f.read().decode(errors="replace")

    def wait_log(self, pattern, seconds=10, flags=re.M):
        try:
            return until(lambda: re.search(pattern, self.log(), flags), f"{pattern!r} in the log",
                         seconds)
        except AssertionError as e:
            raise AssertionError(f"{e}:\n{self.log()}") from None

    def wait_each(self, pattern, times=1):
        """All that re.findall() finds of it, once there are so many."""
        def found():
            return re.findall(pattern, self.log(), re.M)
        try:
            return until(lambda: (f := found())[times - 1:] and f, f"{pattern!r} × {times} in the log")
        except AssertionError as e:
            raise AssertionError(f"{e}:\n{self.log()}") from None

    def workers(self):
        """The pids of the worker processes; the process that they are forked from is none, nor
        are routers and services."""
        zygotes = re.findall(r"(?:imported|ready) in \d+ ms \(pid (\d+)\)", self.log())
        return sorted(p for p in proc.children(self.pid)
                      if str(p) not in zygotes and p not in self.routers() + self.services() and
                      proc.alive(p))

    def routers(self):
        """The pids of the router processes that were started so far."""
        return [int(p) for p in re.findall(r"^http \d+ \(pid (\d+)\) takes", self.log(), re.M)]

    def services(self):
        """The same of services."""
        return [int(p) for p in re.findall(r"^\w+ \d+ \(pid (\d+)\) runs$", self.log(), re.M)]

    def wait_listening(self, name, seconds=10):
        until(lambda: self.ended() or accepts(self.names[name]), f"{name} to accept", seconds)


class Oracle(Server):
    """Debian's uWSGI, to compare with."""
    binary = "/usr/bin/uwsgi-core"
    plugin = "/usr/lib/uwsgi/plugins/python3_plugin.so"
    decorators = "/usr/lib/python3/dist-packages/uwsgidecorators.py"
    command = [binary, "--plugin", plugin, "--master", "--die-on-term"]
    ready = r"(?s)WSGI app 0.*spawned uWSGI worker"

    @classmethod
    def missing(cls):
        """Why it cannot run here, or None."""
        for path in (cls.binary, cls.plugin, cls.decorators):
            if not os.path.exists(path):
                return f"{path} is not installed (packages uwsgi-core, uwsgi-plugin-python3, " \
                    "python3-uwsgidecorators)"
        return None

    def end(self):
        """Killed: whether it stops is not what is tested.  It may be about to fork another worker, so
        it is stopped before its children are counted."""
        if self.process and not self.ended():
            self.send(signal.SIGSTOP)
            until(lambda: proc.stands_still(self.pid), "uWSGI to stand still")
            proc.kill_all([self.pid, *proc.descendants(self.pid)])
            self.process.wait()
