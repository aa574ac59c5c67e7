#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Measures this server and its peers in one run, in turn, with the same application.

usage: make bench          the short form, some 20 minutes on two cores
       t/bench/bench.py [--full] [--only WORD]... [--rounds N] [--seconds N] [--json FILE]
                        [--markdown FILE]

--only takes a part of a case's, mode's or server's name and may be repeated: all must fit.
Every answer's status and length is checked before it counts.  Absolute figures say little on
a shared machine; the ratios of one run do.
"""
import argparse
import contextlib
import http.client
import json
import os
import resource
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE)))
sys.path.insert(0, HERE)

import measure                                                       # noqa: E402
import report                                                        # noqa: E402
import servers                                                       # noqa: E402
from cases import CASES, PLAN                                        # noqa: E402
from lib import proc                                                 # noqa: E402
from lib.address import free_address                                 # noqa: E402
from lib.nginx import nginx                                          # noqa: E402
from lib.wait import until                                           # noqa: E402

FRONTS = {
    "nginx-uwsgi": "uwsgi_pass unix:{path};",
    "nginx-fastcgi": "fastcgi_pass unix:{path};",
    "nginx-fastcgi-keep": "fastcgi_pass backend; fastcgi_keep_conn on;",
    "nginx-http-keep": "proxy_pass http://backend; proxy_set_header Connection '';",
}
WARM = 20   # requests before it counts
COUNTED = ("keep-alive", "close", "nginx-uwsgi", "nginx-fastcgi", "router")
IDLE = 9900
RELOADS, RELOAD_EACH_S = 20, 1.2    # uWSGI's takes a second
RELOADING = {"nginx-uwsgi": ("this uwsgi", "uWSGI"), "keep-alive": ("this uwsgi",),
             "router": ("this uwsgi",)}
UPSTREAM = "upstream backend {{ server unix:{path}; keepalive 64; }}\n"


class Failed(Exception):
    pass


def ask(address, case):
    """One request by hand: the answer is what it has to be."""
    host, _, port = address.rpartition(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=3)
    body = b"y" * case.body or None
    connection.request("POST" if body else "GET", case.path, body=body)
    response = connection.getresponse()
    got = response.read()
    connection.close()
    if response.status != 200 or len(got) != case.length:
        raise Failed(f"{case.name}: {response.status} and {len(got)} bytes")


def answers(address, case):
    try:
        ask(address, case)
        return True
    except (OSError, http.client.HTTPException):
        return False


@dataclass
class Running:
    """A started server, and what a client reaches it by."""
    pid: int
    address: str
    took_s: float       # from exec to the first answer
    front: object       # nginx, or None

    def family(self):
        return measure.tree(self.pid)


@contextlib.contextmanager
def started(server, case, mode, folder):
    path = os.path.join(folder, f"s{time.monotonic_ns()}")
    setup = servers.Setup(case, mode, free_address(), path, folder)
    argv = server.command(setup)
    with open(os.path.join(folder, "log"), "ab") as log:
        begun = time.monotonic()
        process = subprocess.Popen(argv, cwd=HERE, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                   start_new_session=True,
                                   env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"})
    front = None
    try:
        if server.name == "Unit":
            configure_unit(folder)
        address = setup.address
        if mode in FRONTS:
            until(lambda: process.poll() is not None or connects(path), "the socket", 20)
            os.chmod(path, 0o666)
            where = f"{path}.nginx"
            os.makedirs(where)
            front = nginx(where, UPSTREAM.format(path=path),
                          {"http": FRONTS[mode].format(path=path)})
            address = front.http
        until(lambda: process.poll() is not None or answers(address, case), "an answer", 10)
        if process.poll() is not None:
            raise Failed(f"{server.name} ended: see its log")
        yield Running(process.pid, address, time.monotonic() - begun, front)
    finally:
        if front:
            front.end()
        end(process)


def connects(path):
    with socket.socket(socket.AF_UNIX) as s:
        return s.connect_ex(path) == 0


def configure_unit(folder):
    state = os.path.join(folder, "unit")
    until(lambda: os.path.exists(f"{state}/control"), "Unit's control socket")
    subprocess.run(["curl", "-sS", "-X", "PUT", "--data-binary", f"@{state}/conf.json",
                    "--unix-socket", f"{state}/control", "http://localhost/config"],
                   check=True, capture_output=True)


def end(process):
    family = proc.descendants(process.pid)
    for number in (signal.SIGINT, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(5)
            break
    for pid in family:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def post_script(case, folder):
    path = os.path.join(folder, "post.lua")
    with open(path, "w", encoding="ascii") as f:
        f.write(f"wrk.method = 'POST'\nwrk.body = string.rep('y', {case.body})\n")
    return path


def pin(pids, cpu):
    for pid in pids:
        subprocess.run(["taskset", "-a", "-p", "-c", str(cpu), str(pid)], check=False,
                       capture_output=True)


def one_run(running, case, mode, connections, duration_s, folder):
    script = post_script(case, folder) if case.body else None
    alone = case.workers == 1 and case.threads == 1
    beside = busy(running.address, case, duration_s) if case.beside else None
    for _ in range(WARM):
        ask(running.address, case)
    family = running.family()
    front = measure.tree(running.front.process.pid) if running.front else []
    before, front_before = measure.cpu_s(family), measure.cpu_s(front)
    said = measure.wrk(running.address, case.path, connections, duration_s, script=script,
                       keep_alive=mode != "close", cpu=0 if alone else None)
    requests = max(said["requests"], 1)
    said["cpu_us"] = (measure.cpu_s(family) - before) / requests * 1e6
    said["front_us"] = (measure.cpu_s(front) - front_before) / requests * 1e6 if front else None
    said["pss_kib"] = sum(measure.pss_kib(p) for p in family) if connections <= 32 else None
    if beside:
        beside.wait(60)
    ask(running.address, case)
    return said


def busy(address, case, duration_s):
    """Keeps the slow path busy, with half as many connections as there are threads."""
    return subprocess.Popen(["wrk", "-t1", f"-c{case.workers * case.threads // 2}",
                             f"-d{duration_s + 2}s", "--timeout", "20s",
                             f"http://{address}{case.beside}"], stdout=subprocess.DEVNULL)


def fits(words, *names):
    return all(any(word in name for name in names) for word in words)


def who_takes_part(everyone, case, mode, only):
    setup = servers.Setup(case, mode, "127.0.0.1:1", "/nowhere", tempfile.gettempdir())
    return [s for s in everyone if s.command(setup) and (not s.only or case.name in s.only) and
            fits(only, case.name, mode, s.name) and
            (not case.servers or any(w in s.name.lower() for w in case.servers.split()))]


def rows_together(full):
    """The rows of the plan by case and mode: their servers are started once."""
    groups = {}
    for case, mode, connections, short in PLAN:
        if short or full:
            groups.setdefault((case, mode), []).append(connections)
    return groups.items()


FAILURES = (Failed, AssertionError, OSError, subprocess.SubprocessError,
            http.client.HTTPException)


def start_all(stack, taking_part, case, mode, folder):
    running = {}
    for server in taking_part:
        try:
            running[server.name] = stack.enter_context(started(server, case, mode, folder))
        except FAILURES as e:
            print(f"{server.name}, {case.name}, {mode}: {e}", file=sys.stderr)
            continue
        if case.workers == 1 and case.threads == 1:
            pin(running[server.name].family(), 1)
    return running


def measure_rows(running, case, mode, all_connections, options, folder):
    """Each server in turn, again and again; those that wait for their turn are idle."""
    runs = {connections: {name: [] for name in running} for connections in all_connections}
    for _ in range(options.rounds):
        for connections in all_connections:
            for name in list(running):
                try:
                    runs[connections][name].append(one_run(running[name], case, mode, connections,
                                                           max(options.seconds, case.seconds),
                                                           folder))
                except FAILURES as e:
                    print(f"{name}, {case.name}, {mode}: {e}", file=sys.stderr)
                    del running[name]
    return [{"case": case.name, "mode": mode, "connections": connections,
             "servers": {name: median(said) for name, said in found.items() if said}}
            for connections, found in runs.items()]


def measure_all(everyone, options, folder):
    results = []
    for (case_name, mode), all_connections in rows_together(options.full):
        case = CASES[case_name]
        taking_part = who_takes_part(everyone, case, mode, options.only)
        if not taking_part:
            continue
        with contextlib.ExitStack() as stack:
            running = start_all(stack, taking_part, case, mode, folder)
            rows = measure_rows(running, case, mode, all_connections, options, folder)
        results += rows
        for row in rows:
            print(report.one(row), flush=True)
    return results


def median(runs):
    found = {}
    for key in runs[0]:
        values = [run[key] for run in runs if run[key] is not None]
        found[key] = statistics.median(values) if values else None
    found["errors"] = sum(run["errors"] for run in runs)
    return found


# ---- apart from the load ----

def first_answers(everyone, folder, rounds):
    """Seconds from exec to the first answer, for hello with one worker."""
    case, found = CASES["hello"], {}
    for _ in range(rounds * 3):
        for server in everyone:
            if server.only:
                continue
            mode = next((m for m in ("keep-alive", "close") if server.command(
                servers.Setup(case, m, "127.0.0.1:1", "/nowhere", folder))), None)
            if not mode:
                continue
            with started(server, case, mode, folder) as running:
                found.setdefault(server.name, []).append(running.took_s)
    return {name: statistics.median(all_) for name, all_ in found.items()}


def count_calls(everyone, folder):
    """System calls a request, of all processes of each server."""
    case, found = CASES["hello"], {}
    for mode in COUNTED:
        for server in who_takes_part(everyone, case, mode, []):
            try:
                with started(server, case, mode, folder) as running:
                    found.setdefault(mode, {})[server.name] = measure.system_calls(
                        running.family(), running.address, mode != "close")
            except FAILURES as e:
                print(f"{server.name}, system calls, {mode}: {e}", file=sys.stderr)
    return found


def hold_idle(address, count):
    """So many connections that have had one answer each."""
    host, _, port = address.rpartition(":")
    held = []
    for _ in range(count):
        s = socket.create_connection((host, int(port)), timeout=3)
        held.append(s)
        s.sendall(b"GET / HTTP/1.1\r\nHost: bench\r\n\r\n")
        if b" 200 " not in s.recv(4096):
            raise Failed("an idle client got no answer")
    return held


def rate_of_100(address, options):
    return statistics.median(measure.wrk(address, "/", 100, options.seconds, cpu=0)["rate"]
                             for _ in range(options.rounds))


def idle_clients(everyone, options, folder):
    """What 9,900 idle clients cost: memory of each, and requests/s of 100 others beside them."""
    case, found = CASES["hello"], {}
    for mode in ("keep-alive", "router"):
        for server in who_takes_part(everyone, case, mode, []):
            if not any(word in server.name for word in ("uwsgi", "uWSGI", "bjoern")):
                continue
            try:
                with started(server, case, mode, folder) as running:
                    pin(running.family(), 1)
                    ask(running.address, case)
                    alone = rate_of_100(running.address, options)
                    before = sum(measure.pss_kib(p) for p in running.family())
                    held = hold_idle(running.address, IDLE)
                    after = sum(measure.pss_kib(p) for p in running.family())
                    beside = rate_of_100(running.address, options)
                    for s in held:
                        s.close()
                    alone = (alone + rate_of_100(running.address, options)) / 2
                    found.setdefault(mode, {})[server.name] = {
                        "bytes": (after - before) * 1024 / IDLE,
                        "rate": beside / alone}
            except FAILURES as e:
                print(f"{server.name}, idle clients, {mode}: {e}", file=sys.stderr)
    return found


def reloads(everyone, folder):
    """Requests lost and the worst latency while each is told to reload 20 times."""
    case, found = CASES["hello-2"], {}
    for mode, names in RELOADING.items():
        for server in who_takes_part(everyone, case, mode, []):
            if server.name not in names:
                continue
            with started(server, case, mode, folder) as running:
                load = subprocess.Popen(
                    ["wrk", "-t1", "-c8", f"-d{RELOADS * RELOAD_EACH_S + 1:.0f}s", "--latency",
                     f"http://{running.address}/"], stdout=subprocess.PIPE, text=True)
                for _ in range(RELOADS):
                    time.sleep(RELOAD_EACH_S)
                    os.kill(running.pid, signal.SIGHUP)
                said = measure.parse_wrk(load.communicate(timeout=60)[0])
                found.setdefault(mode, {})[server.name] = {
                    "lost": said["errors"], "worst_s": said["max"], "requests": said["requests"]}
    return found


def compile_floor(folder):
    """(the C loop's two programs, Python's microseconds a call)"""
    loop, calls = os.path.join(folder, "epoll"), os.path.join(folder, "wsgi")
    subprocess.run(["cc", "-O2", "-o", loop, f"{HERE}/floor/epoll.c"], check=True)
    flags = subprocess.run([f"{servers.PYTHON}-config", "--includes", "--embed", "--ldflags"],
                           check=True, capture_output=True, text=True).stdout.split()
    subprocess.run(["cc", "-O2", "-o", calls, f"{HERE}/floor/wsgi.c", *flags], check=True)
    return loop, calls


def python_floor(calls, rounds):
    found = {}
    for app in ("app", "flask_app", "django_app"):
        texts = [subprocess.run([calls, app, "1"], cwd=HERE, check=True, capture_output=True,
                                text=True).stdout for _ in range(rounds)]
        found[app] = statistics.median(float(t) for t in texts)
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--only", action="append", default=[])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=1)
    parser.add_argument("--json", default=os.path.join(servers.ROOT, "build", "bench.json"))
    parser.add_argument("--markdown")
    options = parser.parse_args()
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    with tempfile.TemporaryDirectory(prefix="bench") as folder:
        os.chmod(folder, 0o755)
        file = os.path.join(folder, "file")
        with open(file, "wb") as f:
            f.write(b"z" * (1 << 20))
        os.environ["BENCH_FILE"] = file
        loop, calls = compile_floor(folder)
        there = [s for s in servers.SERVERS if s.there()]
        everyone = there + [servers.floor("floor: C loop", loop)]
        result = {"machine": measure.machine(),
                  "versions": {s.name: s.version() for s in there},
                  "python_us": python_floor(calls, options.rounds)}
        result["cases"] = measure_all(everyone, options, folder)
        if not options.only:
            for name, script in (("one_request", "syscalls"), ("instructions", "instructions")):
                result[name] = subprocess.run([sys.executable, f"{HERE}/{script}.py"], check=True,
                                              capture_output=True, text=True).stdout
            result["first_answer_s"] = first_answers(there, folder, options.rounds)
            result["system_calls"] = count_calls(there, folder)
            result["idle"] = idle_clients(there, options, folder)
            result["reloads"] = reloads(there, folder)
    os.makedirs(os.path.dirname(options.json), exist_ok=True)
    with open(options.json, "w", encoding="utf-8") as f:
        json.dump(result, f, indent=1)
    if options.markdown:
        report.write(result, options.markdown, "make bench" + " BENCH=--full" * options.full,
                     options)


if __name__ == "__main__":
    main()
