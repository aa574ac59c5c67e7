# SPDX-License-Identifier: MIT
"""stats-push and carbon: what arrives is decoded as its readers do, and nobody who is slow or gone holds
anything up."""
import json
import os
import re
import signal
import socket

import pytest

from lib.address import HOST, free_address
from lib.evaluated import run
from lib.wait import until


class Datagrams:
    """Whatever comes to a UDP port, or to a UNIX socket, whose queue is short: of ten or so."""

    def __init__(self, path=None, host=HOST):
        self.socket = socket.socket(socket.AF_UNIX if path else socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(path or (host, 0))
        self.address = path or "%s:%d" % self.socket.getsockname()
        self.socket.setblocking(False)
        self.packets = []

    def read(self):
        while True:
            try:
                self.packets.append(self.socket.recv(65536).decode())
            except BlockingIOError:
                return self.packets


class Statsd(Datagrams):
    """As statsd's documentation has it: a counter is added up, a gauge with a sign is a change.
    dogstatsd (signed=False) knows no such changes, and has tags behind |#."""

    def __init__(self, path=None, signed=True, host=HOST):
        super().__init__(path, host)
        self.signed = signed
        self.values, self.types = {}, {}

    def decode(self):
        for packet in self.read():
            assert len(packet) <= 1232
            for line in packet.split("\n"):
                name, value, kind, tags = re.fullmatch(
                    r"([\w.-]+):(-?\d+)\|([cg])(?:\|#(.*))?", line).groups()
                key = (name, tags) if tags or not self.signed else name
                relative = kind == "c" or (self.signed and value[0] == "-")
                self.values[key] = self.values.get(key, 0) * relative + int(value)
                self.types[key] = kind
        self.packets.clear()
        return self.values

    def wait(self, **expected):
        until(lambda: expected.items() <= {
            (k if isinstance(k, str) else k[0]).rpartition(".")[2]: v for k, v in self.decode().items()
        }.items(), str(expected))


class Carbon:
    """Lines over TCP, as carbon's line receiver splits them."""

    def __init__(self, address=f"{HOST}:0"):
        host, port = address.split(":")
        self.socket = socket.create_server((host, int(port)))
        self.address = "%s:%d" % self.socket.getsockname()
        self.socket.settimeout(10)

    def report(self):
        client, _ = self.socket.accept()
        with client, client.makefile("r", encoding="ascii") as lines:
            pairs = [re.fullmatch(r"(\S+) (-?\d+) (\d{10})\n", line).groups() for line in lines]
        assert len({at for _, _, at in pairs}) == 1
        return {name: int(value) for name, value, _ in pairs}


@pytest.fixture
def serve(start):
    def run(ini):
        server = start(f"http-socket = {{http}}\nmodule = evaluated\nmaster = true\n"
                       f"stats-pusher-default-freq = 1\n{ini}\n")
        server.wait_log(r"^metrics 1 \(pid \d+\) runs$")
        return server
    return run


MINE = "metric = mine\nmetric = name=level,type=gauge,initial_value=17\n"


def test_statsd_adds_up_to_what_was_counted(serve):
    statsd = Statsd()
    server = serve(f"{MINE}stats-push = statsd:{statsd.address},myapp\nmetric = name=now,type=absolute")
    for n in (3, 4):
        run(server, f"uwsgi.metric_inc('mine', {n}), uwsgi.metric_set('level', {-n}), "
                    f"uwsgi.metric_set('now', {n})")
        statsd.wait(mine=3 if n == 3 else 7, level=-n, now=n)
    until(lambda: statsd.decode()["myapp.worker.0.requests"] == 2, "both requests")
    assert statsd.types["myapp.mine"] == statsd.types["myapp.worker.1.total_tx"] == "c"
    assert statsd.types["myapp.level"] == statsd.types["myapp.rss_size"] == "g"
    # The one may be in a datagram that has come, and the other in the next.
    until(lambda: statsd.decode()["myapp.worker.1.rss_size"] == statsd.values["myapp.rss_size"] > 1 << 20,
          "the memory of all workers to be that of the one")
    assert {"myapp.core.idle_workers", "myapp.socket.0.listen_queue", "myapp.worker.1.core.0.requests"} \
        <= statsd.values.keys()


def test_statsd_as_gauges_without_workers_and_prefix(serve):
    statsd = Statsd()
    server = serve(f"{MINE}stats-push = statsd:{statsd.address}\nstatsd-all-gauges = true\n"
                   "statsd-no-workers = true")
    run(server, "uwsgi.metric_inc('mine', 3)")
    statsd.wait(mine=3)
    assert set(statsd.types.values()) == {"g"} and "uwsgi.mine" in statsd.values
    assert not [name for name in statsd.values if "worker." in name]


# uwsgi-dogstatsd's README, with one worker of two threads.
DOG_NAMES = """core.avg_response_time core.busy_workers core.idle_workers core.overloaded
core.routed_signals core.total_rss core.total_tx core.total_vsz core.unrouted_signals rss_size
socket.listen_queue vsz_size worker.avg_response_time worker.core.exceptions
worker.core.offloaded_requests worker.core.read_errors worker.core.requests worker.core.routed_requests
worker.core.static_requests worker.core.write_errors worker.delta_requests worker.failed_requests
worker.requests worker.respawns worker.rss_size worker.total_tx worker.vsz_size"""


def test_dogstatsd_has_tags(serve, tmp_path):
    dog = Statsd(str(tmp_path / "dog"), signed=False)
    server = serve(f"threads = 2\n{MINE}stats-push = dogstatsd:{dog.address},myapp\n"
                   "dogstatsd-extra-tags = app:shop,blue")
    dog.decode()        # else its queue may be full
    run(server, "uwsgi.metric_inc('mine', 3), uwsgi.metric_set('level', -2)")
    dog.wait(mine=3, level=-2)
    assert dog.values["myapp.mine", "app:shop,blue"] == 3
    assert dog.values["myapp.level", "app:shop,blue"] == -2
    tagged = dog.values.keys()
    assert {name[6:] for name, _ in tagged} >= set(DOG_NAMES.split())
    assert ("myapp.worker.core.requests", "app:shop,blue,worker:1,core:1") in tagged
    assert ("myapp.socket.listen_queue", "app:shop,blue,socket:0") in tagged
    assert dog.types["myapp.worker.respawns", "app:shop,blue,worker:1"] == "c"


def test_a_worker_that_is_replaced_takes_nothing_back(serve):
    statsd = Statsd()
    server = serve(f"stats-push = statsd:{statsd.address}")
    for _ in range(3):
        run(server, "1")
    name = "uwsgi.worker.1.core.0.requests"
    until(lambda: statsd.decode().get(name) == 3, "three requests")
    os.kill(server.workers()[0], signal.SIGKILL)
    until(lambda: statsd.decode()["uwsgi.worker.1.respawns"] == 2, "its successor")
    run(server, "1")
    until(lambda: statsd.decode()[name] == 4, "one more")


def test_dogstatsd_sends_what_is_chosen(serve):
    dog = Statsd(signed=False)
    server = serve(f"stats-push = dogstatsd:{dog.address}\ndogstatsd-all-gauges = true\n"
                   "dogstatsd-whitelist-metric = worker.requests\n"
                   "dogstatsd-whitelist-metric = core.idle_workers")
    run(server, "1")
    until(lambda: dog.decode().get(("uwsgi.worker.requests", "worker:1")) == 1, "the request")
    assert set(dog.values) == {("uwsgi.core.idle_workers", None), ("uwsgi.worker.requests", "worker:0"),
                               ("uwsgi.worker.requests", "worker:1")}
    assert set(dog.types.values()) == {"g"}


def test_dogstatsd_without_workers(serve):
    dog = Statsd(signed=False)
    serve(f"stats-push = dogstatsd:{dog.address}\ndogstatsd-no-workers = true")
    until(lambda: ("uwsgi.core.idle_workers", None) in dog.decode(), "a report")
    assert not [name for name, _ in dog.values if ".worker" in name]


def test_socket_has_a_datagram_for_each(serve):
    plain = Datagrams()
    server = serve(f"{MINE}metric = name=same,type=alias,alias=level\n"
                   f"stats-push = socket:{plain.address},myapp")
    until(lambda: {"myapp.level 1 17", "myapp.same 3 17", "myapp.worker.1.delta_requests 2 0"}
          <= set(plain.read()), "a report")
    run(server, "uwsgi.metric_inc('mine', 3)")
    until(lambda: "myapp.mine 0 3" in plain.read(), "the count")


def test_what_is_reset_after_each_push(serve):
    statsd = Statsd()
    server = serve("metric = name=burst,initial_value=4,reset_after_push=1\n"
                   f"stats-push = statsd:{statsd.address}")
    run(server, "uwsgi.metric_inc('burst', 3)")
    statsd.wait(burst=3)
    until(lambda: run(server, "uwsgi.metric_get('burst')") == "4", "its first value")
    run(server, "uwsgi.metric_inc('burst', 5)")
    statsd.wait(burst=8)


def test_a_file_gets_the_statistics(serve, tmp_path):
    path = tmp_path / "reports"
    server = serve(f"stats-push = file:path={path},freq=1,separator=@@\n{MINE}stats-minified = true")
    run(server, "uwsgi.metric_inc('mine', 3)")

    def last():
        """None, too, while one is being written."""
        *whole, rest = path.read_text(encoding="utf-8").split("@@") if path.exists() else [""]
        reports = [json.loads(text) for text in whole]
        return reports[-1] if reports and not rest else None
    until(lambda: (r := last()) and r["metrics"]["mine"]["value"] == 3 and
          sum(w["requests"] for w in r["workers"]) == 1, "the count and the request")
    assert len(path.read_text(encoding="utf-8").splitlines()) == 1
    assert path.stat().st_mode & 0o137 == 0


def test_carbon_gets_uwsgis_names(serve):
    carbon = Carbon()
    server = serve(f"processes = 2\ncarbon = {carbon.address}\ncarbon-freq = 1\ncarbon-hostname-dots = _")
    carbon.report()
    for _ in range(4):
        run(server, "1")
    host = socket.gethostname().replace(".", "_")
    prefix = f"uwsgi.{host}.{server.http.replace('.', '_')}."
    report = until(lambda: (r := carbon.report()) and next(
        (r for name, value in r.items() if name.endswith(".requests") and value == 4), None), "requests")
    names = {name.split(":")[1].partition(".")[2] for name in report}
    of_worker = ["requests", "rss_size", "vsz_size", "avg_rt", "tx", "busyness", "harakiri"]
    assert names == {*of_worker, "active_workers", *(f"worker{n}.{x}" for n in (1, 2) for x in of_worker)}
    assert all(name.startswith(prefix) for name in report)
    values = {name.split(":")[1].partition(".")[2]: v for name, v in report.items()}
    assert values["active_workers"] == 2 and values["rss_size"] == values["worker1.rss_size"] + \
        values["worker2.rss_size"]
    assert 0 <= values["busyness"] <= 100 and values["tx"] > 100


def test_carbon_with_names_of_ones_own_and_without_workers(serve):
    carbon = Carbon()
    server = serve(f"stats-push = carbon:{carbon.address}\ncarbon-freq = 1\ncarbon-id = shop\n"
                   "carbon-root = a.b\ncarbon-hostname-alias = here\ncarbon-no-workers = true\n"
                   "carbon-idle-avg = none\nprocesses = 2")
    run(server, "1")
    until(lambda: carbon.report().get("a.b.here.shop.requests") == 1, "the request")
    assert carbon.report().keys() == {"a.b.here.shop." + name for name in (
        "requests", "rss_size", "vsz_size", "tx", "busyness", "active_workers", "harakiri")}


@pytest.mark.parametrize("idle, value", [("zero", 0), ("last", None)])
def test_carbons_average_of_who_is_idle(serve, idle, value):
    carbon = Carbon()
    server = serve(f"carbon = {carbon.address}\ncarbon-freq = 1\ncarbon-id = x\ncarbon-root =\n"
                   f"carbon-hostname-alias = h\ncarbon-idle-avg = {idle}")
    run(server, "__import__('time').sleep(.02)")
    busy = until(lambda: (r := carbon.report())["h.x.requests"] == 1 and r, "the request")
    assert busy["h.x.avg_rt"] >= 10_000
    assert carbon.report()["h.x.avg_rt"] == (busy["h.x.avg_rt"] if value is None else value)


def test_carbon_with_metrics(serve):
    carbon = Carbon()
    server = serve(f"{MINE}carbon = {carbon.address}\ncarbon-freq = 1\ncarbon-id = x\n"
                   "carbon-hostname-alias = h\ncarbon-use-metrics = true\ncarbon-no-workers = true")
    run(server, "uwsgi.metric_inc('mine', 3)")
    report = until(lambda: (r := carbon.report())["uwsgi.h.x.mine"] == 3 and r, "the count")
    assert report["uwsgi.h.x.level"] == 17 and "uwsgi.h.x.core.idle_workers" in report
    assert not [name for name in report if ".worker." in name]


def test_a_carbon_that_is_away_or_says_nothing_holds_up_nobody(serve):
    """The first does not listen yet; the second never accepts, and its queue is full."""
    statsd, away, full = Statsd(), free_address(), socket.socket()
    full.bind((HOST, 0))
    full.listen(0)
    fillers = [socket.socket() for _ in range(4)]
    for s in fillers:
        s.setblocking(False)
        s.connect_ex(full.getsockname())
    server = serve(f"carbon = {away}\ncarbon = {HOST}:{full.getsockname()[1]}\n"
                   f"carbon-freq = 1\ncarbon-timeout = 1\ncarbon-max-retry = 1\ncarbon-retry-delay = 1\n"
                   f"carbon-id = x\ncarbon-hostname-alias = h\nstats-push = statsd:{statsd.address}\n{MINE}")
    server.wait_log(rf"warning: carbon {away}: Connection refused; this is said once")
    server.wait_log(rf"warning: carbon {HOST}:\d+: it does not answer; this is said once")
    run(server, "uwsgi.metric_inc('mine', 3)")
    statsd.wait(mine=3)
    carbon = Carbon(away)
    # What comes first may have been written before the request was counted.
    until(lambda: carbon.report()["uwsgi.h.x.requests"] == 1, "the request")
    assert server.log().count("Connection refused") == 1
    for s in [*fillers, full]:
        s.close()


def test_names_are_looked_up_beside_the_loop(serve):
    statsd, carbon = Statsd(host="127.0.0.1"), Carbon("127.0.0.1:0")
    port = statsd.address.split(":")[1]
    server = serve(f"{MINE}stats-push = statsd:localhost:{port},a\n"
                   f"stats-push = statsd:no-such-host.invalid:8125\n"
                   f"carbon = localhost:{carbon.address.split(':')[1]}\ncarbon-freq = 1")
    run(server, "uwsgi.metric_inc('mine', 3)")
    statsd.wait(mine=3)
    assert carbon.report()
    # Where no server of names answers, a look-up takes that long.
    server.wait_log(r"warning: stats-push no-such-host\.invalid:8125: .*; looking it up again", 40)


def test_one_who_does_not_listen_is_said_once(serve):
    statsd = Statsd()
    statsd.socket.close()
    other = Datagrams()
    server = serve(f"stats-push = statsd:{statsd.address}\nstats-push = socket:{other.address}")
    until(lambda: sum("core.idle_workers" in p for p in other.read()) >= 4, "four reports")
    assert server.log().count("cannot send: Connection refused") == 1


def test_a_successor_does_not_count_again(serve):
    statsd = Statsd()
    server = serve(f"{MINE}stats-push = statsd:{statsd.address}")
    run(server, "uwsgi.metric_inc('mine', 3)")
    statsd.wait(mine=3)
    os.kill(int(server.wait_log(r"^metrics 1 \(pid (\d+)\) runs$")[1]), signal.SIGKILL)
    assert len(server.wait_each(r"^metrics 1 \(pid \d+\) runs$", 2)) == 2
    until(lambda: run(server, "uwsgi.metric_inc('mine')") and statsd.decode()["uwsgi.mine"] > 3, "more")
    until(lambda: statsd.decode()["uwsgi.mine"] == int(run(server, "uwsgi.metric_get('mine')")), "all")


@pytest.mark.parametrize("line, said", [
    ("stats-push = statd:127.0.0.1:8125", r'"statd" is no way to send them; did you mean "statsd"\?'),
    ("stats-push = statsd:", r"expected an address"),
    ("stats-push = statsd:127.0.0.1:8125," + 257 * "x", r"the prefix has more than 255 characters"),
    ("stats-push = statsd:somewhere", r"somewhere: expected host:port"),
    ("stats-push = statsd:somewhere:x", r"the port is no number"),
    ("stats-push = file:path=", r"path= names no file"),
    ("stats-push = file:pth=x", r'unknown key "pth"'),
    ("stats-push = file:freq=0", r'freq: "0" is no number'),
    ("dogstatsd-extra-tags = a|b", r"there can be no \|"),
    ("dogstatsd-extra-tags = " + 301 * "x", r"more than 300 characters"),
    ("carbon = 1.2.3.4", r"expected host:port"),
])
def test_mistakes_end_the_start(start, line, said):
    server = start.not_yet("http-socket = {http}\nmodule = basic\n" + line)
    assert server.run() == 1
    server.wait_log(rf"uwsgi\.ini:\d+: error: .*{said}")


@pytest.mark.parametrize("kind", ["mongodb:addr=127.0.0.1:5151,collection=x", "zabbix:127.0.0.1:10051",
                                  "rrdtool:/srv/rrd"])
def test_who_is_not_sent_anything_is_said(start, kind):
    server = start("http-socket = {http}\nmodule = basic\nplugins = stats_pusher_statsd, carbon\n"
                   f"stats-push = {kind}")
    server.wait_log(rf"uwsgi\.ini:\d+: warning: .*{kind}.*not supported here, and nothing is sent")
    server.wait_log(r"^metrics 1 \(pid \d+\) runs$")
    assert "stats_pusher_statsd" not in server.log()
