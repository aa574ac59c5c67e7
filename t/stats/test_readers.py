# SPDX-License-Identifier: MIT
"""Programs that read statistics and metrics, run where they are installed; those that are written in Go
decode as their structs do."""
import json
import os
import pty
import re
import select
import shutil
import signal
import socket
import subprocess
import sys

import pytest

from lib import http
from lib.address import HOST, accepts, free_port
from lib.http import raw
from lib.wait import until

UWSGITOP = shutil.which("uwsgitop")
COLLECTD = shutil.which("collectd")
CARBON = shutil.which("carbon-cache")
NETDATA = "/usr/lib/netdata/plugins.d/python.d.plugin"

needs_uwsgitop = pytest.mark.skipif(not UWSGITOP, reason="uwsgitop is not installed (PyPI: uwsgitop)")
needs_collectd = pytest.mark.skipif(not COLLECTD, reason="collectd is not installed (collectd-core)")
needs_carbon = pytest.mark.skipif(not CARBON, reason="carbon is not installed (graphite-carbon)")
needs_netdata = pytest.mark.skipif(not os.path.exists(NETDATA),
                                   reason="netdata is not installed (netdata-plugins-python)")


@pytest.fixture
def serve(start):
    def run(ini=""):
        server = start(f"http-socket = {{http}}\nstats = {{stats}}\nmodule = basic\n{ini}\n")
        server.wait_log(r"^stats 1 \(pid \d+\) runs$")
        return server
    return run


@pytest.fixture
def beside():
    """Runs a program until the test ends."""
    running = []

    def run(command, **more):
        running.append(subprocess.Popen(command, start_new_session=True, **more))
        return running[-1]
    yield run
    for process in running:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


# ---- what is asked ----

@needs_uwsgitop
def test_uwsgitop_shows_the_workers(serve, beside):
    server = serve("processes = 2\nthreads = 2")
    for _ in range(5):
        http.request(server.http, "/hello")
    until(lambda: sum(w["requests"] for w in json.loads(raw(server.stats, b""))["workers"]) == 5, "them")
    ours, theirs = pty.openpty()
    beside([sys.executable, UWSGITOP, "--frequency", "1", server.stats], stdin=theirs, stdout=theirs, stderr=theirs,
           env={**os.environ, "TERM": "xterm", "LINES": "24", "COLUMNS": "160"})
    os.close(theirs)
    shown = b""
    pids = [str(pid).encode() for pid in server.workers()]
    while not all(pid in shown for pid in pids) or b"req: 5" not in shown:
        assert select.select([ours], [], [], 10)[0], shown
        shown += os.read(ours, 65536)
    os.close(ours)
    assert b"Traceback" not in shown


@needs_netdata
def test_netdata_charts_the_workers(serve, beside, tmp_path):
    server = serve("processes = 2")
    http.request(server.http, "/hello")
    until(lambda: sum(w["requests"] for w in json.loads(raw(server.stats, b""))["workers"]) == 1, "it")
    host, port = server.stats.split(":")
    (tmp_path / "python.d").mkdir()
    (tmp_path / "python.d.conf").write_text("uwsgi: yes\n", encoding="ascii")
    (tmp_path / "python.d" / "uwsgi.conf").write_text(
        f"here:\n  host: {host}\n  port: {port}\n  update_every: 1\n", encoding="ascii")
    folder = str(tmp_path)
    plugin = beside(["/usr/bin/python3", NETDATA, "1", "uwsgi"], stdout=subprocess.PIPE, text=True,
                    stderr=subprocess.DEVNULL, env={
                        **os.environ, "NETDATA_USER_CONFIG_DIR": folder, "NETDATA_LOCK_DIR": folder,
                        "NETDATA_LIB_DIR": folder, "NETDATA_STOCK_CONFIG_DIR": "/usr/lib/netdata/conf.d"})
    values = {}
    for line in plugin.stdout:
        found = re.match(r"SET '(\w+)' = (-?\d+)", line)
        if found:
            values[found[1]] = int(found[2])
        if "respawn_count" in values or line.startswith("DISABLE"):
            break
    workers = server.workers()
    assert sum(values[f"requests_{pid}"] for pid in workers) == 1
    assert all(values[f"memory_rss_{pid}"] > 1 << 20 for pid in workers)
    assert (values["exceptions"], values["respawn_count"]) == (0, 2)


# Numbers are ints, and a member that is missing is a 0 that nobody has counted.
INT, TEXT = int, str
WORKER = {"id": INT, "pid": INT, "accepting": INT, "requests": INT, "delta_requests": INT,
          "exceptions": INT, "harakiri_count": INT, "signals": INT, "signal_queue": INT, "status": TEXT,
          "rss": INT, "vsz": INT, "running_time": INT, "last_spawn": INT, "respawn_count": INT,
          "tx": INT, "avg_rt": INT}
CORE = {name: INT for name in ("id", "requests", "static_requests", "routed_requests",
                               "offloaded_requests", "write_errors", "read_errors", "in_request")}
APP = {"id": INT, "modifier1": INT, "mountpoint": TEXT, "startup_time": INT, "requests": INT,
       "exceptions": INT, "chdir": TEXT}
TOP = {"version": TEXT, "listen_queue": INT, "listen_queue_errors": INT, "signal_queue": INT,
       "load": INT, "pid": INT}


def of(struct, *without):
    return {name: kind for name, kind in struct.items() if name not in without}


READERS = {
    "uwsgi_exporter": {
        **TOP, "uid": INT, "gid": INT, "cwd": TEXT, "caches": [],
        "sockets": [{"name": TEXT, "proto": TEXT, "queue": INT, "max_queue": INT, "shared": INT,
                     "can_offload": INT}],
        "workers": [{**WORKER, "apps": [APP], "cores": [CORE]}]},
    "Telegraf": {
        **TOP, "uid": INT, "gid": INT,
        "workers": [{**WORKER, "apps": [of(APP, "mountpoint", "chdir")], "cores": [CORE]}]},
    "Metricbeat": {**TOP, "workers": [{**WORKER, "cores": [of(CORE, "in_request")]}]},
    "Netdata's go.d": {"workers": [of(WORKER, "pid", "signals", "signal_queue", "running_time",
                                      "last_spawn")]},
}


def decode(value, struct, where):
    """As encoding/json does into a struct of Go: a float or a bool for an int is an error."""
    if isinstance(struct, dict):
        assert isinstance(value, dict), where
        for name, kind in struct.items():
            decode(value[name], kind, f"{where}.{name}")
    elif isinstance(struct, list):
        assert isinstance(value, list), where
        for one in value if struct else []:
            decode(one, struct[0], where + "[]")
        assert value or not struct, where
    else:
        assert type(value) is struct, where


@pytest.mark.parametrize("reader", READERS)
def test_readers_in_go_decode_it(serve, reader):
    server = serve("processes = 2\nthreads = 2\nenable-metrics = true")
    http.request(server.http, "/hello")
    report = until(lambda: (r := json.loads(raw(server.stats, b""))) and len(r["workers"]) == 2 and r, "both")
    decode(report, READERS[reader], reader)
    assert {w["status"] for w in report["workers"]} <= {"idle", "busy", "cheap", "pause"}


# ---- who is sent something ----

@needs_collectd
def test_collectds_statsd_adds_it_up(serve, beside, tmp_path):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind((HOST, 0))
        port = free.getsockname()[1]
    (tmp_path / "conf").write_text(f"""
        BaseDir "{tmp_path}"
        PIDFile "{tmp_path}/pid"
        TypesDB "/usr/share/collectd/types.db"
        Interval 1
        Hostname "here"
        LoadPlugin statsd
        LoadPlugin csv
        <Plugin statsd>
          Host "{HOST}"
          Port "{port}"
          CounterSum true
        </Plugin>
        <Plugin csv>
          DataDir "stdout"
        </Plugin>
        """, encoding="ascii")
    collectd = beside([COLLECTD, "-f", "-C", str(tmp_path / "conf")], stdout=subprocess.PIPE,
                      stderr=subprocess.PIPE, text=True)
    assert any("Listening on" in line for line in collectd.stderr)
    server = serve(f"metric = name=level,type=gauge,initial_value=-17\nstats-pusher-default-freq = 1\n"
                   f"stats-push = statsd:{HOST}:{port},myapp")
    for _ in range(5):
        http.request(server.http, "/hello")
    values = {}
    for line in collectd.stdout:
        name, value = re.match(r"PUTVAL here/statsd/(\S+) \S+ [\d.]+:(\S+)", line).groups()
        values[name] = float(value)
        if values.get("derive-myapp.worker.0.requests") == 5 and \
                values.get("gauge-myapp.core.total_rss", 0) > 1 << 20 and \
                values.get("gauge-myapp.level") == -17:
            break


@needs_carbon
def test_carbon_keeps_it(serve, beside, tmp_path):
    import whisper  # a library of carbon
    port, query = free_port(), free_port()
    (tmp_path / "carbon.conf").write_text(f"""[cache]
STORAGE_DIR = {tmp_path}
CONF_DIR = {tmp_path}
LOG_DIR = {tmp_path}/log
PID_DIR = {tmp_path}
LOCAL_DATA_DIR = {tmp_path}/whisper
USER =
LINE_RECEIVER_INTERFACE = {HOST}
LINE_RECEIVER_PORT = {port}
PICKLE_RECEIVER_PORT = 0
CACHE_QUERY_INTERFACE = {HOST}
CACHE_QUERY_PORT = {query}
MAX_CREATES_PER_MINUTE = inf
""", encoding="ascii")
    (tmp_path / "storage-schemas.conf").write_text(
        "[all]\npattern = .*\nretentions = 1s:1h\n", encoding="ascii")
    beside([CARBON, "--config", str(tmp_path / "carbon.conf"), "--nodaemon", "start"],
           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    until(lambda: accepts(f"{HOST}:{port}"), "carbon", 30)
    server = serve(f"carbon = {HOST}:{port}\ncarbon-freq = 1\ncarbon-id = shop\n"
                   "carbon-hostname-alias = here")
    for _ in range(5):
        http.request(server.http, "/hello")

    def kept(name):
        path = f"{tmp_path}/whisper/uwsgi/here/shop/{name}.wsp"
        # It is made with room for an hour of points, of 12 bytes each.
        if not os.path.exists(path) or os.path.getsize(path) < 3600 * 12:
            return []
        return [value for value in whisper.fetch(path, 0)[1] if value is not None]
    until(lambda: 5 in kept("requests"), "five requests")
    until(lambda: max(kept("rss_size"), default=0) > 1 << 20, "the memory, which has a file of its own")
