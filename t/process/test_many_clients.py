# SPDX-License-Identifier: MIT
"""A thousand clients at once, through nginx, to a Django application; one client, many workers."""
import os
import re
import subprocess

import pytest

from lib import http, proc
from lib.server import APPS

AB = "/usr/bin/ab"
INI = f"""
http-socket = {{http}}
socket = {{uwsgi}}
socket = {{uwsgi_unix}}
fastcgi-socket = {{fastcgi}}
chdir = {APPS}/django_site
module = site_django.wsgi:application
processes = 4
threads = 2
disable-logging = true
"""


def bench(address, requests=10000, clients=1000, *options):
    done = subprocess.run([AB, "-q", "-l", "-s", "20", "-n", str(requests), "-c", str(clients),
                           *options, f"http://{address}/"], capture_output=True, text=True,
                          timeout=90, check=False)
    assert done.returncode == 0, done.stderr + done.stdout

    def number(name):
        found = re.search(rf"^{name}:\s+(\d+)", done.stdout, re.M)
        return int(found[1]) if found else 0
    return number("Complete requests"), number("Failed requests"), number("Non-2xx responses")


@pytest.mark.skipif(not os.path.exists(AB), reason="needs ab (apache2-utils)")
@pytest.mark.seconds(120)
@pytest.mark.parametrize("proxy", ["uwsgi_pass {uwsgi};", "uwsgi_pass unix:{uwsgi_unix};",
                                   "fastcgi_pass {fastcgi};", "proxy_pass http://{http};"])
def test_ten_thousand_requests_of_a_thousand_clients_are_all_answered(start, nginx, proxy):
    pytest.importorskip("django")
    server = start(INI)
    front = nginx(listeners={"to": proxy.format_map(server.names)})
    count = 10000 if proxy.startswith("uwsgi_pass {") else 3000
    assert bench(front.to, count) == (count, 0, 0), front.log()[-1000:]


@pytest.mark.skipif(not os.path.exists(AB), reason="needs ab (apache2-utils)")
@pytest.mark.parametrize("options", [[], ["-k"]], ids=["new connections", "kept connections"])
def test_a_thousand_clients_without_a_web_server(start, options):
    pytest.importorskip("django")
    server = start(INI)
    assert bench(server.http, 3000, 1000, *options) == (3000, 0, 0)


def test_a_connection_wakes_one_worker_and_not_all(start):
    """What idle workers do is seen in how often they were put to sleep again."""
    server = start("http-socket = {http}\nmodule = basic\nprocesses = 16\ndisable-logging = true\n")
    workers = proc.children(server.pid)
    assert len(workers) == 17       # and the zygote

    def sleeps():
        return sum(int(proc.status(pid, "voluntary_ctxt_switches")[0]) for pid in workers)

    before = sleeps()
    for _ in range(100):
        assert http.request(server.http, "/hello").status == 200
    assert sleeps() - before < 400
