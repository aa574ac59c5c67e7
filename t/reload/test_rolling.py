# SPDX-License-Identifier: MIT
"""Rolling restarts behind load balancers: no request fails, though none may be sent again."""
import os
import re

import pytest

from lib import rolling
from lib.address import free_address
from lib.server import command
from lib.starter import make_folder


@pytest.fixture
def pair(start, nginx, folders, started):
    if not os.path.exists(rolling.PROGRAM):
        pytest.skip("haproxy is not installed")

    def run(delay_s):
        instances = [start(rolling.INI % delay_s) for _ in range(2)]
        folders.append(make_folder())
        started.append(rolling.haproxy(folders[-1], instances))
        haproxy, front = started[-1], free_address()
        nginx(rolling.nginx_text(instances, front))
        return rolling.Rolling(instances, haproxy, [haproxy.http, front])
    return run


@pytest.mark.parametrize("delay_s", [0, rolling.DELAY_S])
def test_no_request_fails(pair, delay_s):
    assert pair(delay_s).restart_all(1) == []


def test_the_deployment_gives_enough_time():
    yaml = pytest.importorskip("yaml")
    pod = yaml.safe_load(rolling.snippet("Kubernetes"))["spec"]["template"]["spec"]
    argv = pod["containers"][0]["command"]
    times = dict(re.findall(r"--([a-z-]+)=(\d+)$", " ".join(argv), re.M) +
                 re.findall(r"--([a-z-]+)=(\d+) ", " ".join(argv)))
    assert (int(times["drain-delay"]) + int(times["reload-mercy"]) + 10 <=
            pod["terminationGracePeriodSeconds"])
    assert argv[0] == "uwsgi" and command("--check", "--strict", *argv[1:]).returncode == 0
