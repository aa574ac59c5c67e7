# SPDX-License-Identifier: MIT
"""/metrics: what Prometheus scrapes, in both of its formats; test_monitoring.py has a real one."""
import re

import pytest

from lib import http
from lib.prometheus import Prometheus, promtool
from lib.wait import until

OPEN_METRICS = [("Accept", "application/openmetrics-text;version=1.0.0,text/plain;q=0.5,*/*;q=0.1")]
TEXT = [("Accept", "text/plain;version=0.0.4")]
EXPORTER = {f"uwsgi_{name}" for name in """
    up listen_queue_length listen_queue_errors workers socket_queue_length socket_max_queue_length
    worker_accepting worker_delta_requests worker_rss_bytes worker_vsz_bytes worker_running_time_seconds
    worker_last_spawn_time_seconds worker_average_response_time_seconds worker_cores
    worker_requests_total worker_exceptions_total worker_harakiri_count_total worker_respawn_count_total
    worker_transmitted_bytes_total worker_busy worker_idle worker_cheap worker_core_busy
    worker_core_requests_total worker_core_static_requests_total worker_core_routed_requests_total
    worker_core_write_errors_total worker_core_read_errors_total""".split()}
SAMPLE = re.compile(r'([a-z_]+)(\{(?:[a-z_]+="[^"\\]*",?)+\})? (-?[0-9.]+)')
HISTOGRAMS = [f"uwsgi_request_{name}_seconds" for name in ("wait", "run", "send")]


@pytest.fixture
def server(start):
    server = start("http-socket = {http}\nmodule = basic\ninspect = {inspect}\nprocesses = 2\nthreads = 2\n")
    server.wait_log(r"^inspect 1 \(pid \d+\) runs$")
    return server


def scrape(server, headers=TEXT):
    answer = http.request(server.inspect, "/metrics", headers=headers, host="localhost")
    assert answer.status == 200
    return answer


def samples(server):
    lines = [line for line in scrape(server).body.decode().splitlines() if not line.startswith("#")]
    found = {name + (labels or ""): float(value)
             for name, labels, value in (SAMPLE.fullmatch(line).groups() for line in lines)}
    assert len(found) == len(lines)      # no sample is there twice
    return found


def names(found):
    return {name.split("{")[0] for name in found}


def test_it_has_the_names_of_uwsgi_exporter_and_counts(server):
    for target in ("/hello", "/hello", "/status?code=404"):
        http.request(server.http, target)

    def counts(seen):
        """A lane counts one thing after the other."""
        return {seen["uwsgi_request_run_seconds_count"],
                sum(seen[f'uwsgi_worker_requests_total{{worker_id="{n}"}}'] for n in (1, 2)),
                sum(seen[f'uwsgi_responses_total{{class="{n}xx"}}'] for n in range(1, 6))}
    seen = until(lambda: (s := samples(server)) and counts(s) == {3} and s, "three requests")
    assert names(seen) >= EXPORTER
    assert seen["uwsgi_workers"] == 2 and seen["uwsgi_ready"] == seen["uwsgi_up"] == 1
    assert seen[f'uwsgi_socket_queue_length{{name="{server.http}",proto="http"}}'] == 0
    assert seen['uwsgi_worker_rss_bytes{worker_id="1"}'] > seen['uwsgi_worker_pss_bytes{worker_id="1"}']


def test_histograms_are_cumulative_and_have_their_sums(server):
    http.request(server.http, "/sleep?s=0.05")
    seen = until(lambda: (s := samples(server)) and s["uwsgi_request_run_seconds_count"] and
                 s["uwsgi_request_run_seconds_sum"] and s, "a request")
    for name in HISTOGRAMS:
        buckets = [(float(m[1]), n) for key, n in seen.items()
                   if (m := re.fullmatch(name + r'_bucket\{le="(.*)"\}', key))]
        counts = [n for _, n in buckets]
        assert counts == sorted(counts) and counts[-1] == seen[f"{name}_count"]
        assert [le for le, _ in buckets] == sorted(le for le, _ in buckets)
        assert buckets[-1][0] == float("inf")
    assert seen["uwsgi_request_run_seconds_sum"] >= 0.05
    assert seen['uwsgi_request_run_seconds_bucket{le="0.032768"}'] == 0
    assert seen['uwsgi_request_run_seconds_bucket{le="536.870912"}'] == 1


def test_metrics_of_the_configuration(start, tmp_path):
    (tmp_path / "app.py").write_text(
        "import uwsgi\ndef application(environ, start_response):\n"
        "    uwsgi.metric_inc('logins')\n    uwsgi.metric_set('balance', -5)\n"
        "    start_response('200 OK', [])\n    return []\n", encoding="utf-8")
    (tmp_path / "rooms").write_text("42\n", encoding="utf-8")
    server = start(f"http-socket = {{http}}\nwsgi-file = {tmp_path}/app.py\ninspect = {{inspect}}\n"
                   "metric = logins\nmetric = name=balance,type=gauge\n"
                   f"metric = name=rooms,type=gauge,collector=file,arg1={tmp_path}/rooms\n")
    server.wait_log(r"^inspect 1 \(pid \d+\) runs$")
    http.request(server.http, "/")
    seen = until(lambda: (s := samples(server)) and s['uwsgi_metric_value{name="rooms"}'] == 42 and s,
                 "what the file says")
    assert seen['uwsgi_metric_total{name="logins"}'] == 1
    assert seen['uwsgi_metric_value{name="balance"}'] == -5
    assert len([name for name in seen if name.startswith("uwsgi_metric_")]) == 3
    assert promtool("check", "metrics", text=scrape(server).body.decode()) == ""


def test_open_metrics(server):
    answer = scrape(server, OPEN_METRICS)
    text = answer.body.decode()
    assert answer.header("content-type") == "application/openmetrics-text; version=1.0.0; charset=utf-8"
    assert text.endswith("\n# EOF\n") and text.count("# EOF") == 1
    assert "# TYPE uwsgi_worker_requests counter\n" in text and "\nuwsgi_worker_requests_total{" in text
    assert "# TYPE uwsgi_request_run_seconds histogram\n# UNIT uwsgi_request_run_seconds seconds\n" in text
    for name, unit in re.findall(r"# UNIT (\w+) (\w+)", text):
        assert name.endswith(f"_{unit}")
    assert scrape(server, []).header("content-type").startswith("application/openmetrics-text")
    assert scrape(server, [("Accept", "text/html,*/*;q=0.8")]).header("content-type").startswith("text/plain")


def test_a_strict_parser_of_open_metrics_takes_it(server):
    parser = pytest.importorskip("prometheus_client.openmetrics.parser",
                                 reason="python3-prometheus-client is not installed")
    families = list(parser.text_string_to_metric_families(scrape(server, OPEN_METRICS).body.decode()))
    assert {s.name for f in families for s in f.samples} >= EXPORTER


def test_promtool_finds_nothing(server):
    http.request(server.http, "/hello")
    assert promtool("check", "metrics", text=scrape(server).body.decode()) == ""
