# SPDX-License-Identifier: MIT
"""Fixtures: a folder that other users can enter, servers that are ended after the test, a limit
of time for each test, and the check that no process is left behind."""
import os
import shutil
import signal
import socket
import subprocess
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True

from lib import house as houses  # noqa: E402
from lib import nginx as fronts  # noqa: E402
from lib import proc  # noqa: E402
from lib.address import HOST  # noqa: E402
from lib.notify import Manager  # noqa: E402
from lib.server import Oracle  # noqa: E402
from lib.starter import OracleStarter, Starter, make_folder  # noqa: E402
from lib.wait import until  # noqa: E402

DEFAULT_SECONDS = 60
proc.adopt_orphans()


class TookTooLong(Exception):
    pass


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_protocol(item, nextitem):
    """A test that hangs fails; it does not hold up the others."""
    marker = item.get_closest_marker("seconds")
    seconds = marker.args[0] if marker else DEFAULT_SECONDS

    def ring(*_):
        raise TookTooLong(f"{item.name} took more than {seconds} s")

    before = signal.signal(signal.SIGALRM, ring)
    signal.alarm(seconds)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_logreport(report):
    """The alarm is off while a report is written: a test's time-out here would end the whole run."""
    left = signal.alarm(0)
    yield
    signal.alarm(left)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """A failure shows the logs of the servers that took part."""
    left = signal.alarm(0)      # as above
    outcome = yield
    report = outcome.get_result()
    if report.failed:
        for name in ("house", "started"):
            for server in item.funcargs.get(name) or ():
                if server and os.path.exists(server.log_path):
                    report.sections.append((f"end of {server.log_path}", server.log()[-3000:]))
    signal.alarm(left)


@pytest.fixture
def folders():
    """All folders of a test; they outlive its servers."""
    paths = []
    yield paths
    for path in paths:
        shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def folder(folders):
    folders.append(make_folder())
    return folders[-1]


@pytest.fixture
def started(folders):
    """Everything that a test started, ended in the reverse order."""
    things = []
    yield things
    before_end = []
    for thing in reversed(things):
        try:
            thing.end()
        except AssertionError as e:
            before_end.append(str(e))
    assert not before_end, "\n".join(before_end)


@pytest.fixture
def no_process_left():
    """The test run adopts orphans: any child of it that was not there before is one."""
    before = set(proc.children(os.getpid()))
    yield

    def left():
        return [p for p in proc.children(os.getpid()) if p not in before and proc.alive(p)]
    try:
        # What the kernel kills with its parent takes a moment to end.
        until(lambda: not left(), "the children to end")
    except AssertionError:
        titles = [f"{p} {proc.title(p)}" for p in left()]
        proc.kill_all(left())
        raise AssertionError(f"left behind: {titles}") from None


@pytest.fixture
def start(no_process_left, folders, started):
    return Starter(started, folders)


@pytest.fixture
def start_oracle(no_process_left, folders, started):
    if Oracle.missing():
        pytest.skip(Oracle.missing())
    return OracleStarter(started, folders)


@pytest.fixture
def nginx(folders, started):
    if not os.path.exists("/usr/sbin/nginx"):
        pytest.skip("nginx is not installed")

    def run(snippet="", listeners=None, others=None):
        folders.append(make_folder())
        started.append(fronts.nginx(folders[-1], snippet, listeners, others))
        return started[-1]
    return run


@pytest.fixture
def backends():
    """begin(kind, address, say): a server of lib/backend.py."""
    there = []

    def begin(kind, address, say):
        there.append(kind(address, say))
        return there[-1]
    yield begin
    for each in there:
        each.end()


@pytest.fixture
def receiver():
    """Takes datagrams of the log and of alarms."""
    with socket.socket(type=socket.SOCK_DGRAM) as s:
        s.bind((HOST, 0))
        s.settimeout(10)
        yield s


@pytest.fixture
def manager(folder):
    """A service manager, for NOTIFY_SOCKET."""
    there = Manager(f"{folder}/notify")
    yield there
    there.close()


@pytest.fixture
def stranger():
    """A process of the test's user that is neither a server nor a child of one."""
    process = subprocess.Popen(["/bin/sleep", "60"])
    yield process
    process.kill()
    process.wait()


@pytest.fixture
def fifo(tmp_path):
    """The path of a FIFO, for requests that wait until the test lets them go (lib/busy.py)."""
    path = str(tmp_path / "fifo")
    os.mkfifo(path)
    return path


@pytest.fixture(scope="session")
def house():
    """(server, nginx) that the whole session shares; see lib/house.py."""
    here, front_folder, things = make_folder(), make_folder(), []
    try:
        server = Starter.kind(here, houses.INI)
        things.append(server.start())
        if os.path.exists("/usr/sbin/nginx"):
            things.append(fronts.nginx(front_folder, houses.UPSTREAMS.format_map(server.names),
                                       houses.listeners(server.names)))
        yield (*things, None)[:2]
    finally:
        for thing in reversed(things):
            thing.end()
        shutil.rmtree(here, ignore_errors=True)
        shutil.rmtree(front_folder, ignore_errors=True)


def _way(house, name):
    if name in houses.NGINX_WAYS and not house[1]:
        pytest.skip("nginx is not installed")
    return houses.Way(name, *house)


@pytest.fixture(params=houses.WAYS)
def way(request, house):
    """Every way to the shared server, directly and through nginx."""
    return _way(house, request.param)


@pytest.fixture(params=houses.DIRECT_WAYS)
def direct(request, house):
    return _way(house, request.param)


@pytest.fixture
def served(house):
    """The shared server: its addresses are .http, .uwsgi, .fastcgi and the same with _unix."""
    return house[0]


@pytest.fixture
def as_root():
    if os.geteuid() != 0:
        pytest.skip("only root can change users and bind privileged ports")


@pytest.fixture
def reachable():
    """The program and its plugins lie where another user can reach them."""
    here = os.path.dirname(os.path.abspath(__file__))
    while here != "/":
        if not os.stat(here).st_mode & 0o001:
            pytest.skip(f"only its owner can enter {here}")
        here = os.path.dirname(here)
