# SPDX-License-Identifier: MIT
"""Two instances of an application behind HAProxy and nginx, which are configured as
docs/deploying.md says, restarted in turn under load."""
import os
import re
import signal
import textwrap

from lib import http, pages
from lib.address import free_address
from lib.load import Load
from lib.nginx import Front
from lib.wait import until

INI = ("http-socket = {http}\nhealth = {health}\nmodule = basic\nprocesses = 2\nthreads = 2\n"
       "disable-logging = true\ndrain-idle = 1\ndrain-delay = %d\n")
PROGRAM = "/usr/sbin/haproxy"
# Quicker checks than those of the page: 0.1 s × 3 are below DELAY_S.
INTER, DELAY_S = "100ms", 1
HAPROXY = """
global
    stats socket {here}/admin level admin
defaults
    mode http
    timeout client 20s
    timeout server 20s
frontend clients
    bind {front}
    default_backend app
"""


def snippet(heading, number=0):
    """The block of that section of the page."""
    section = re.split(rf"^#+ {heading}$", pages.read("deploying.md"), flags=re.M)[1]
    section = re.split(r"^#", section, flags=re.M)[0]
    return textwrap.dedent(pages.INDENTED.findall(section)[number].strip("\n"))


def with_addresses(text, instances):
    for i, instance in enumerate(instances):
        address = f"10.0.0.{5 + i}:8000"
        assert address in text
        text = text.replace(f"{address} port 9091",
                            f"{address} port {instance.health.rsplit(':', 1)[1]}")
        text = text.replace(address, instance.http)
    return text


def haproxy(folder, instances):
    front, conf = free_address(), os.path.join(str(folder), "haproxy.cfg")
    backend = snippet("HAProxy")
    assert "inter 2s" in backend
    with open(conf, "w", encoding="ascii") as f:
        f.write(HAPROXY.format(here=folder, front=front) +
                with_addresses(backend, instances).replace("inter 2s", f"inter {INTER}") + "\n")
    return Front(folder, {"http": front, "admin": f"{folder}/admin"},
                 [PROGRAM, "-f", conf, "-db"], f"{folder}/log")


def nginx_text(instances, front):
    """For the http block."""
    return with_addresses(snippet("nginx"), instances).replace("listen 80;", f"listen {front};")


class Rolling:
    """haproxy: the Front; fronts: addresses that clients ask."""

    def __init__(self, instances, haproxy_front, fronts):
        self.instances, self.haproxy = instances, haproxy_front
        self.loads = [Load(a, clients=2, target="/echo", body=b"x", keep_alive=kept)
                      for a in fronts for kept in (False, True)]

    def states(self):
        """As HAProxy sees them: ["UP", "DOWN"]."""
        text = http.raw(self.haproxy.admin, b"show stat\n").decode()
        rows = [line.split(",") for line in text.splitlines() if line.startswith("app,")]
        return [row[17] for row in rows if row[1] != "BACKEND"]

    def wait_up(self):
        until(lambda: self.states() == ["UP"] * len(self.instances), "HAProxy to find all", 20)

    def start_again(self, instance):
        instance.log_from = os.path.getsize(instance.log_path)
        instance.start()
        self.wait_up()

    def restart(self, instance):
        instance.send(signal.SIGTERM)
        assert instance.wait() == 0
        self.start_again(instance)

    def restart_all(self, times):
        """Requests that failed meanwhile."""
        self.wait_up()
        for load in self.loads:
            load.__enter__()
        try:
            for _ in range(times):
                for instance in self.instances:
                    self.restart(instance)
            for load in self.loads:
                load.wait_more(10)
        finally:
            for load in self.loads:
                load.__exit__()
        return [f for load in self.loads for f in load.failures]
