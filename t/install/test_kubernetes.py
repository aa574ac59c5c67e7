# SPDX-License-Identifier: MIT
"""docs/kubernetes.md: its objects are what Kubernetes reads, its arguments start a server, and its
probes and metrics are there.  No cluster is needed."""
import base64
import os
import re

import pytest

from lib import http
from lib.address import free_address
from lib.server import ROOT, command

yaml = pytest.importorskip("yaml")


def objects():
    """Of all blocks of the page."""
    with open(f"{ROOT}/docs/kubernetes.md", encoding="utf-8") as f:
        blocks = re.findall(r"(?:^    .*\n|^\n(?=    ))+", f.read(), re.M)
    return [o for block in blocks
            for o in yaml.safe_load_all(re.sub(r"^    ", "", block, flags=re.M))]


@pytest.fixture(scope="module")
def named():
    """{kind: object}; what is for prometheus-adapter has none."""
    return {o.get("kind", "rules"): o for o in objects()}


@pytest.fixture(scope="module")
def container(named):
    return named["Deployment"]["spec"]["template"]["spec"]["containers"][0]


@pytest.fixture
def server(start, folder, container):
    """With the arguments of the page, and addresses of the test."""
    with open(f"{folder}/app.py", "w", encoding="ascii") as f:
        f.write("def app(e, s):\n s('200 OK', [])\n return [b'shop']\n")
    users = f"{folder}/users"
    with open(users, "w", encoding="ascii") as f:
        f.write("prometheus:secret\n")
    os.chmod(users, 0o440)  # the mode of a secret's file
    places = {":8080": free_address(), ":9091": free_address(), ":9090": free_address(),
              "/etc/inspect/users": users}
    args = container["args"][1:]
    for old, new in places.items():
        assert any(a.endswith("=" + old) for a in args)
        args = [a[:-len(old)] + new if a.endswith("=" + old) else a for a in args]
    server = start("", folder=folder, plain=True,
                   args=[a.replace("--drain-delay=10", "--drain-delay=0") for a in args])
    server.places = places
    return server


def test_the_objects_belong_together(named, container):
    assert set(named) == {"Deployment", "Service", "PodMonitor", "rules", "HorizontalPodAutoscaler"}
    labels = named["Deployment"]["spec"]["template"]["metadata"]["labels"]
    ports = {p["name"] for p in container["ports"]}
    assert named["Service"]["spec"]["selector"] == labels
    assert named["Service"]["spec"]["ports"][0]["targetPort"] in ports
    assert named["PodMonitor"]["spec"]["selector"]["matchLabels"] == labels
    assert named["PodMonitor"]["spec"]["podMetricsEndpoints"][0]["port"] in ports
    scaled = named["HorizontalPodAutoscaler"]["spec"]
    assert scaled["scaleTargetRef"]["name"] == named["Deployment"]["metadata"]["name"]
    assert scaled["metrics"][0]["pods"]["metric"]["name"] == named["rules"]["rules"][0]["name"]["as"]


def test_there_is_time_to_drain(named, container):
    waits = [int(re.search(rf"--{name}=(\d+)", " ".join(container["args"]))[1])
             for name in ("drain-delay", "reload-mercy")]
    grace = named["Deployment"]["spec"]["template"]["spec"]["terminationGracePeriodSeconds"]
    assert grace == sum(waits) + 10


def test_the_arguments_have_no_mistakes(server, container):
    assert container["args"][0] == "uwsgi"
    assert command("--check", "--strict", *server.args).returncode == 0


def test_the_probes_and_metrics_of_the_page_are_there(server, container, named):
    assert http.request(server.places[":8080"]).body == b"shop"
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        get = container[probe]["httpGet"]
        assert http.request(server.places[f":{get['port']}"], get["path"]).status == 200
    word = base64.b64encode(b"prometheus:secret").decode()
    path = named["PodMonitor"]["spec"]["podMetricsEndpoints"][0]["path"]
    inspect = server.places[":9090"]
    answer = http.request(inspect, path, headers=[("Authorization", f"Basic {word}")],
                          host=inspect)
    with open(f"{ROOT}/docs/kubernetes.md", encoding="utf-8") as f:
        series = set(re.findall(r"\buwsgi_[a-z_]+\b", f.read())) - {"uwsgi_busy_share"}
    assert len(series) == 3
    for name in series:
        assert f"\n# TYPE {name} " in answer.body.decode(), name
