# SPDX-License-Identifier: MIT
"""Metrics: what applications do to them, what the server says of itself, and that they last."""
import json
import os
import signal
import threading

import pytest

from lib import http
from lib.evaluated import run
from lib.http import raw
from lib.wait import until


@pytest.fixture
def serve(start):
    def run(ini):
        server = start(f"http-socket = {{http}}\nstats = {{stats}}\nmodule = evaluated\n"
                       f"master = true\n{ini}\n")
        server.wait_log(r"^stats 1 \(pid \d+\) runs$")
        server.wait_log(r"^metrics 1 \(pid \d+\) runs$")
        return server
    return run


def metrics(server):
    return json.loads(raw(server.stats, b"")).get("metrics", {})


def value(server, name):
    return metrics(server)[name]["value"]


def wait_value(server, name, expected):
    until(lambda: value(server, name) == expected, f"{name} = {expected}")


# What uWSGI answered to the same, in this order.
CALLS = [
    ("get('mine')", "0"), ("inc('mine')", "True"), ("inc('mine', 5)", "True"), ("get('mine')", "6"),
    ("dec('mine')", "True"), ("mul('mine', 4)", "True"), ("get('mine')", "20"),
    ("div('mine', 2)", "True"), ("get('mine')", "10"), ("set('mine', -3)", "True"),
    ("get('mine')", "-3"), ("dec('mine', -4)", "True"), ("get('mine')", "1"),
    ("get('nope')", "0"), ("inc('nope')", "None"), ("set('nope', 1)", "None"),
    ("div('mine', 0)", "None"), ("set_max('mine', 7)", "True"), ("get('mine')", "7"),
    ("set_max('mine', 6)", "True"), ("get('mine')", "7"), ("set_min('mine', 2)", "True"),
    ("get('mine')", "2"), ("mul('mine')", "True"), ("div('mine')", "True"), ("get('mine')", "2"),
    ("get('second')", "17"), ("get('same')", "17"), ("set('same', 9)", "None"), ("get('second')", "17"),
    ("inc('mine', 1.5)", "TypeError"), ("inc('mine', 1 << 64)", "OverflowError"), ("inc()", "TypeError"),
    ("inc('worker.1.requests')", "None"), ("set('mine', 1 << 62)", "True"), ("mul('mine', 4)", "True"),
    ("get('mine')", "0"), ("set('mine', -(1 << 63))", "True"), ("div('mine', -1)", "True"),
    ("get('mine')", str(-(1 << 63))),
]


def test_applications_count_as_with_uwsgi(serve):
    server = serve("metric = mine\nmetric = name=second,type=gauge,initial_value=17\n"
                   "metric = name=same,type=alias,alias=second\n")
    for call, answer in CALLS:
        assert (call, run(server, "uwsgi.metric_" + call)) == (call, answer)


def names_of(workers, lanes, sockets):
    """What uWSGI 2.0.21 has, in its order, with its types and OIDs."""
    yield from (("core." + name, kind, f"5.{i}") for i, (name, kind) in enumerate(
        [("routed_signals", 0), ("unrouted_signals", 0), ("busy_workers", 1), ("idle_workers", 1),
         ("overloaded", 0)], 1))
    for w in range(workers + 1):
        for name, kind, i in [("requests", 0, 1), ("delta_requests", 2, 2), ("failed_requests", 0, 13),
                              ("respawns", 0, 14), ("avg_response_time", 1, 8), ("total_tx", 0, 9),
                              ("rss_size", 1, 11), ("vsz_size", 1, 12), ("running_time", 0, 13)]:
            yield f"worker.{w}.{name}", kind, f"3.{w}.{i}"
        for lane in range(lanes if w else 0):
            for name, i in [("requests", 1), ("write_errors", 3), ("routed_requests", 4),
                            ("static_requests", 5), ("offloaded_requests", 6), ("exceptions", 7),
                            ("read_errors", 8)]:
                yield f"worker.{w}.core.{lane}.{name}", 0, f"3.{w}.2.{lane}.{i}"
    yield from (("core." + name, kind, f"5.{i}") for i, (name, kind) in enumerate(
        [("total_tx", 0), ("total_rss", 1), ("total_vsz", 1), ("avg_response_time", 1),
         ("total_running_time", 0)], 100))
    yield from ((f"socket.{i}.listen_queue", 1, f"7.{i}.1") for i in range(sockets))
    yield from [("rss_size", 3, "5.101"), ("vsz_size", 3, "5.102")]


@pytest.mark.parametrize("more, lanes", [("", 2), ("metrics-no-cores = true", 0)])
def test_the_server_has_uwsgis_metrics(serve, more, lanes):
    server = serve(f"enable-metrics = true\nprocesses = 2\nthreads = 2\nsocket = {{packets}}\n{more}")
    found = [(name, m["type"], m["oid"]) for name, m in metrics(server).items()]
    assert found == list(names_of(2, lanes, 2))


def test_they_say_what_stats_says(serve):
    server = serve("enable-metrics = true\nthreads = 2")
    for _ in range(3):
        run(server, "1")

    def seen():
        report = json.loads(raw(server.stats, b""))
        m, worker = {name: m["value"] for name, m in report["metrics"].items()}, report["workers"][0]
        return [
            (m["worker.0.requests"], m["worker.1.requests"], m["worker.1.delta_requests"],
             sum(m[f"worker.1.core.{i}.requests"] for i in range(2))) == (3, 3, 3, 3),
            m["worker.1.respawns"] == m["core.idle_workers"] == 1 and m["core.busy_workers"] == 0,
            m["worker.1.total_tx"] == m["core.total_tx"] == worker["tx"],
            m["worker.1.running_time"] == m["core.total_running_time"] == worker["running_time"],
            m["core.avg_response_time"] == m["worker.1.avg_response_time"] == worker["avg_rt"],
            m["rss_size"] == m["core.total_rss"] == m["worker.1.rss_size"] > 1 << 20]
    # They are found out one after the other, once a second.
    until(lambda: all(seen()), "three requests in all of them")


def test_collectors(serve, tmp_path):
    (tmp_path / "numbers").write_text("MemTotal:   16 kB\nMemFree:\t-7 kB\n", encoding="ascii")
    server = serve(
        "metric = a\nmetric = name=b,type=gauge,initial_value=17\n"
        f"metric = name=file,collector=file,arg1={tmp_path}/numbers,arg1n=4\n"
        f"metric = name=word,collector=file,arg1={tmp_path}/numbers\n"
        f"metric = name=lost,collector=file,arg1={tmp_path}/lost\n"
        "metric = name=sum,collector=sum,children=a;b\n"
        "metric = name=avg,collector=avg,type=gauge,children=a;b\n"
        "metric = name=mul,collector=multiplier,children=a;b,arg1n=3\n"
        "metric = name=add,collector=adder,children=a;b;nobody,arg1n=5\n"
        "metric = name=acc,collector=accumulator,children=a;b,freq=3600\n"
        "metric = name=none,collector=sum\n")
    wait_value(server, "acc", 17)
    run(server, "uwsgi.metric_set('a', 2)")
    names = ("file", "word", "lost", "sum", "avg", "mul", "add", "none", "acc")

    def seen():
        found = metrics(server)
        return [found[name]["value"] for name in names]
    until(lambda: seen() == [-7, 0, 0, 19, 9, 57, 24, 0, 17], "all of them")
    assert run(server, "uwsgi.metric_inc('sum')") == "None"
    server.wait_log(r"warning: metric lost: cannot read .*/lost: No such file or directory$")
    server.wait_log(r'warning: add: there is no metric "nobody"$')
    assert server.log().count("cannot read") == 1


def test_no_count_of_several_processes_and_threads_is_lost(serve):
    server = serve("metric = n\nprocesses = 2\nthreads = 2")
    threads = [threading.Thread(target=run, args=(
        server, "[uwsgi.metric_inc('n', 3) for _ in range(20000)] and 0")) for _ in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert run(server, "uwsgi.metric_get('n')") == str(8 * 20000 * 3)


def test_they_last_through_reloads_and_deaths_as_they_are_defined(serve):
    server = serve("metric = kept\nmetric = name=changed,initial_value=4\nprocesses = 1")
    run(server, "[uwsgi.metric_inc(n, 5) for n in ('kept', 'changed')]")
    os.kill(server.workers()[0], signal.SIGKILL)
    until(lambda: run(server, "uwsgi.metric_get('kept')") == "5", "the value after the death")
    with open(server.ini_path, encoding="ascii") as f:
        ini = f.read()
    with open(server.ini_path, "w", encoding="ascii") as f:
        f.write(ini.replace("value=4", "value=100").replace("processes = 1", "processes = 3\nmetric = new"))
    assert server.hup()
    # The old worker, which leaves, may take one more, and goes on with what it has.
    until(lambda: run(server, "[uwsgi.metric_get(n) for n in ('kept', 'changed', 'new')]") ==
          "[5, 100, 0]", "the new definitions")
    seen = until(lambda: "new" in (m := metrics(server)) and m, "what stats says")
    assert [seen[n]["value"] for n in ("kept", "changed", "new")] == [5, 100, 0]
    assert "worker.3.requests" in seen


def test_they_can_be_set_while_the_application_is_imported(serve, tmp_path):
    (tmp_path / "first.py").write_text("import uwsgi\nuwsgi.metric_set('m', 8)\n", encoding="ascii")
    server = serve(f"metric = m\nimport = {tmp_path}/first.py")
    assert run(server, "uwsgi.metric_get('m')") == "8"


def test_the_log_writes_them(serve):
    server = serve("metric = mine\nlog-format = [%(metric.mine) %(metric.worker.1.respawns) "
                   "%(metric.nope) %(uri)]")
    server.wait_log(r"log-format: there is no %\(metric\.nope\)")
    wait_value(server, "worker.1.respawns", 1)
    run(server, "2")
    server.wait_log(r"^\[0 1 - /\?2\]")
    run(server, "uwsgi.metric_set('mine',-12)")
    server.wait_log(r"^\[-12 1 - /\?uwsgi")


def test_a_folder_has_their_values_and_gives_them_back(serve, tmp_path):
    folder = tmp_path / "metrics"
    folder.mkdir()
    (folder / "mine").write_bytes(b"77" + b"\0" * 4094)
    ini = (f"metrics-dir = {folder}\nmetrics-dir-restore = true\nmetric = mine\n"
           "metric = name=late,initial_value=3\nmetric = name=sum,collector=sum,children=mine")
    server = serve(ini)
    wait_value(server, "sum", 77)
    # A file that is being written has a dot before its name.
    until(lambda: sorted(n for n in os.listdir(folder) if n[0] != ".") == sorted(metrics(server)),
          "a file for each")
    until(lambda: (folder / "sum").read_text() == "77\n", "the file")
    run(server, "uwsgi.metric_set('mine', 80)")
    until(lambda: (folder / "mine").read_text() == "80\n", "the other value")
    os.kill(int(server.wait_log(r"^metrics 1 \(pid (\d+)\) runs$")[1]), signal.SIGKILL)
    server.wait_log(r"metrics 1 \(pid \d+\) ended unexpectedly")
    run(server, "uwsgi.metric_set('mine', 81)")
    until(lambda: (folder / "mine").read_text() == "81\n", "who comes after it")
    assert (folder / "late").read_text() == "3\n"


def test_without_its_folder_the_server_serves(serve, tmp_path):
    server = serve(f"metrics-dir = {tmp_path}/nowhere\nmetric = m")
    server.wait_log(r"error: metrics-dir .*/nowhere: No such file or directory; no files of metrics")
    assert run(server, "uwsgi.metric_inc('m')") == "True"


def test_a_file_that_cannot_be_written_is_said_once_and_keeps_no_other_back(serve, tmp_path):
    folder = tmp_path / "metrics"
    (folder / "a").mkdir(parents=True)
    server = serve(f"metrics-dir = {folder}\nmetric = a\nmetric = b")
    for n in ("1", "2", "3"):
        run(server, f"uwsgi.metric_set('b', {n})")
        until(lambda: (folder / "b").exists() and (folder / "b").read_text() == n + "\n", n)
    assert server.log().count("cannot write a: Is a directory") == 1


def test_thresholds(serve, tmp_path):
    server = serve("metric = a\nmetric = b\nmetric = c\n"
                   "metric-threshold = key=a,value=5,reset=1\n"
                   f"alarm = page cmd:cat >{tmp_path}/page\n"
                   "metric-alarm = key=b,value=3,alarm=page,rate=3600,msg=come here\n"
                   "alarm-metric = key=c,value=3\n"
                   "metric-threshold = key=nobody,value=3\n")
    server.wait_log(r'warning: metric-threshold: there is no metric "nobody"')
    run(server, "[uwsgi.metric_set(n, 9) for n in 'abc']")
    wait_value(server, "a", 1)
    server.wait_log(r"warning: ALARM page: metric b is 9 and has reached 3: come here$")
    until((tmp_path / "page").exists, "the alarm")
    until(lambda: (tmp_path / "page").read_text() == "metric b is 9 and has reached 3: come here\n",
          "what it says")
    server.wait_log(r"warning: ALARM: metric c is 9 and has reached 3$")
    run(server, "uwsgi.metric_set('a', 7)")
    wait_value(server, "a", 1)
    assert server.log().count("warning: ALARM") == 2
    run(server, "uwsgi.metric_set('c', 0)")
    for _ in range(2):      # c is looked at behind a: it has been when a is seen again
        run(server, "uwsgi.metric_set('a', 7)")
        wait_value(server, "a", 1)
    run(server, "uwsgi.metric_set('c', 4)")
    server.wait_log(r"ALARM: metric c is 4 and")


@pytest.mark.parametrize("line, said", [
    ("metric = bad name", r'"bad name" cannot be a name'),
    ("metric = name=", r'"" cannot be a name'),
    ("metric = name=.x", r'"\.x" cannot be a name'),
    ("metric = name=x,collector=foo", r'collector "foo" is unknown: expected file, sum'),
    ("metric = name=x,type=alias", r"type=alias needs alias=NAME"),
    ("metric = name=x,collector=file", r"collector=file needs arg1=/path"),
    ("metric-alarm = key=x", r"expected at least key=METRIC,value=NUMBER"),
    ("metric-alarm = key=x,value=many", r'value: "many" is no whole number'),
])
def test_mistakes_end_the_start(start, line, said):
    server = start.not_yet("http-socket = {http}\nmodule = basic\n" + line)
    assert server.run() == 1
    server.wait_log(rf"uwsgi\.ini:\d+: error: .*{said}")


@pytest.mark.parametrize("line, said", [
    ("metric = name=x,initial_valu=3", r'unknown key "initial_valu"; did you mean "initial_value"\?'),
    ("metric = name=x,type=foo", r'type "foo" is none of counter'),
    ("metric = name=x,freq=often", r'freq: "often" is no whole number'),
    ("metric = name=x,collector=func,arg1=f", r"collector func needs code in the server"),
    ("metrics-dir-restore = true", r"nothing to restore without metrics-dir"),
    ("metric-alarm = key=x,value=1,zork=1", r"an unknown key: expected key"),
])
def test_what_uwsgi_passes_over_is_said(start, line, said):
    server = start("http-socket = {http}\nmodule = basic\n" + line)
    server.wait_log(rf"uwsgi\.ini:\d+: warning: .*{said}")
    assert http.request(server.http, "/hello").status == 200


def test_rules_count(serve):
    server = serve("metric = hits\nmetric = name=level,initial_value=5\nplugins = router_metrics\n"
                   "route = ^/count/(\\d+) metricinc:hits,$1\nroute = ^/count metricinc:hits\n"
                   "route = ^/level metricmul:level,6\nroute = ^/level metricdiv:level,2\n"
                   "route = ^/level metricdec:level\nroute = ^/level metricinc:nobody\n"
                   "route = ^/level metricinc:worker.1.requests,100\nroute = ^/reset metricset:hits,-3\n"
                   "route = ^/least(.*)$ metricdec:level,$1\n"
                   "route-run = addheader:X-Hits: ${{metric[hits]}} ${{metric[level]}} ${{metric[nobody]}}")
    server.wait_log(r'^warning: route: metricinc: there is no metric "nobody"$')
    for path, seen in [("/count/7", "8 5 0"), ("/count", "9 5 0"), ("/level", "9 14 0"),
                       ("/reset", "-3 14 0"), (f"/least-{1 << 63}", f"-3 {14 - (1 << 63)} 0")]:
        assert http.request(server.http, path + "?0").header("X-Hits") == seen
    assert run(server, "uwsgi.metric_get('hits')") == "-3"


def test_they_can_be_left_out_of_stats(serve):
    server = serve("enable-metrics = true\nstats-no-metrics = true")
    assert "metrics" not in json.loads(raw(server.stats, b""))
