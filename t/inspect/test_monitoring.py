# SPDX-License-Identifier: MIT
"""The files of ini/observing/ for Prometheus and Grafana: their programs read them, what they ask for is
there, and each alert comes when it should."""
import json
import os
import re
import shutil

import pytest

from lib import http
from lib.prometheus import Prometheus, promtool
from lib.server import ROOT
from lib.wait import until

FOLDER = f"{ROOT}/ini/observing"
RULES = f"{FOLDER}/prometheus-rules.yml"


def read(path):
    with open(path, encoding="utf-8") as f:
        return f.read()


def dashboard():
    return json.loads(read(f"{FOLDER}/grafana-dashboard.json"))


def dashboard_queries():
    """As Grafana sends them."""
    board = dashboard()
    asked = [t["expr"] for panel in board["panels"] for t in panel["targets"]]
    asked += [a["expr"] for a in board["annotations"]["list"]]
    return [q.replace("$__rate_interval", "5m").replace("$job", "uwsgi").replace("$instance", ".+") for q in asked]


def names(text):
    return set(re.findall(r"\buwsgi_[a-z_]+", text))


def test_promtool_reads_the_configuration_and_the_rules():
    assert "11 rules found" in promtool("check", "config", f"{FOLDER}/prometheus.yml")
    promtool("check", "rules", RULES)


def test_each_rule_says_what_is_wrong_and_how_bad_that_is():
    alerts = re.split(r"^ +- alert: ", read(RULES), flags=re.M)[1:]
    assert len(alerts) == 11
    for alert in alerts:
        for part in ("expr:", "severity: ", "summary: ", "description: "):
            assert part in alert, alert


def test_each_alert_comes_when_it_should(tmp_path):
    with open(f"{os.path.dirname(__file__)}/rules_test.yml", encoding="utf-8") as f:
        (tmp_path / "rules_test.yml").write_text(f.read().replace("RULES", RULES), encoding="utf-8")
    assert "SUCCESS" in promtool("test", "rules", str(tmp_path / "rules_test.yml"))


def test_the_queries_of_the_dashboard_are_valid(tmp_path):
    rules = [{"record": f"q:{i}", "expr": query} for i, query in enumerate(dashboard_queries())]
    # JSON is YAML.
    (tmp_path / "queries.yml").write_text(json.dumps({"groups": [{"name": "q", "rules": rules}]}), encoding="utf-8")
    assert f"{len(rules)} rules found" in promtool("check", "rules", str(tmp_path / "queries.yml"))


def test_the_panels_of_the_dashboard_do_not_overlap():
    taken = set()
    for panel in dashboard()["panels"]:
        at = panel["gridPos"]
        cells = {(at["x"] + x, at["y"] + y) for x in range(at["w"]) for y in range(at["h"])}
        assert at["x"] + at["w"] <= 24 and not taken & cells, panel["title"]
        taken |= cells
    ids = [panel["id"] for panel in dashboard()["panels"]]
    assert len(set(ids)) == len(ids)


def test_all_that_they_ask_for_is_there(start):
    server = start("http-socket = {http}\nmodule = basic\ninspect = {inspect}\n")
    server.wait_log(r"^inspect 1 \(pid \d+\) runs$")
    http.request(server.http, "/hello")
    answer = http.request(server.inspect, "/metrics", headers=[("Accept", "text/plain")], host="127.0.0.1")
    said = answer.body.decode()
    asked = "\n".join(dashboard_queries()) + read(RULES).split("groups:")[1]
    wanted = names(asked)
    assert len(wanted) > 15
    assert wanted - names(said) == set()
    labels = set(re.findall(r'(\w+)="', said)) | {"job", "instance"}
    for found in re.findall(r"by \(([\w, ]+)\)|without \(([\w, ]+)\)|[{,] *(\w+)=", asked):
        assert {word.strip() for word in "".join(found).split(",")} <= labels, found


@pytest.fixture
def prometheus(tmp_path):
    """prometheus(server): runs by our configuration, but for the address of the server and the interval."""
    running = []

    def run(server):
        shutil.copy(RULES, tmp_path)
        text = read(f"{FOLDER}/prometheus.yml").replace("127.0.0.1:9091", server.inspect)
        (tmp_path / "prometheus.yml").write_text(text.replace(": 15s", ": 500ms"), encoding="utf-8")
        running.append(Prometheus(tmp_path))
        return running[-1]
    yield run
    for one in running:
        one.end()


def test_prometheus_scrapes_by_the_configuration_and_answers_the_dashboard(start, prometheus):
    server = start("http-socket = {http}\nmodule = basic\nprocesses = 2\ninspect = {inspect}\n")
    server.wait_log(r"^inspect 1 \(pid \d+\) runs$")
    there = prometheus(server)
    until(lambda: there.ask("count_over_time(uwsgi_up[1m]) > 2"), "a few scrapes", 30)
    for _ in range(5):
        http.request(server.http, "/hello")
    until(lambda: there.ask('sum(uwsgi_responses_total{class="2xx"})') == [5], "five requests")
    # One query is about reloads, and there was none.  Others find nothing while a scrape was too late.
    until(lambda: [q for q in dashboard_queries() if not there.ask(q)] == ['changes(uwsgi_generation{job="uwsgi", instance=~".+"}[5m]) > 0'],
          "all that the dashboard asks")
    until(lambda: there.ask('up{job="uwsgi"}') == [1], "a scrape in time")
    rules = there.get("rules")["groups"][0]["rules"]
    assert len(rules) == 11 and {rule["health"] for rule in rules} <= {"ok", "unknown"}
