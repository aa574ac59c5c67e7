# SPDX-License-Identifier: MIT
"""What a process tree costs, read from /proc, and what a load generator says."""
import os
import platform
import re
import signal
import subprocess
import tempfile

from lib import proc
from lib.wait import until

UNITS = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0}


def machine():
    """What figures depend on that is no server's."""
    with open("/proc/sys/net/ipv4/tcp_congestion_control", encoding="ascii") as f:
        congestion = f.read().strip()
    return {"cores": os.cpu_count(), "kernel": ".".join(platform.release().split(".")[:2]),
            "congestion": congestion}


def cpu_s(pids):
    """CPU seconds that all threads of these processes have used so far."""
    total = 0
    for pid in pids:
        try:
            tasks = os.listdir(f"/proc/{pid}/task")
            for task in tasks:
                with open(f"/proc/{pid}/task/{task}/schedstat", encoding="ascii") as f:
                    total += int(f.read().split()[0])
        except (FileNotFoundError, ProcessLookupError):
            continue
    return total / 1e9


def pss_kib(pid):
    """0: it has ended meanwhile."""
    try:
        with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as f:
            return int(re.search(r"^Pss:\s+(\d+)", f.read(), re.M).group(1))
    except (FileNotFoundError, ProcessLookupError):
        return 0


def tree(pid):
    return [pid, *proc.descendants(pid)]


def seconds(text):
    number, unit = re.fullmatch(r"([\d.]+)(us|ms|s|m)", text).groups()
    return float(number) * UNITS[unit]


def wrk(address, path, connections, duration_s, *, keep_alive=True, script=None, cpu=None):
    """One run: requests, requests a second, latencies in seconds, errors."""
    argv = ["taskset", "-c", str(cpu)] if cpu is not None else []
    argv += ["wrk", "-t1", f"-c{connections}", f"-d{duration_s}s", "--latency", "--timeout", "2s"]
    if not keep_alive:
        argv += ["-H", "Connection: close"]
    if script:
        argv += ["-s", script]
    done = subprocess.run([*argv, f"http://{address}{path}"], capture_output=True, text=True,
                          timeout=duration_s + 60, check=True)
    return parse_wrk(done.stdout)


def parse_wrk(text):
    took = re.search(r"(\d+) requests in ([\d.]+\w+),", text)
    errors = sum(int(n) for n in re.findall(r"(?:connect|read|write|timeout) (\d+)", text))
    bad = re.search(r"Non-2xx or 3xx responses: (\d+)", text)
    latency = {name: seconds(value)
               for name, value in re.findall(r"^\s+(50|99)%\s+(\S+)$", text, re.M)}
    requests = int(took.group(1))
    worst = re.search(r"^\s+Latency\s+\S+\s+\S+\s+(\S+)", text, re.M)
    return {"requests": requests, "rate": requests / seconds(took.group(2)),
            "max": seconds(worst.group(1)), "p50": latency.get("50"), "p99": latency.get("99"),
            "errors": errors + (int(bad.group(1)) if bad else 0)}


def system_calls(pids, address, keep_alive):
    """System calls a request of these processes, all their threads."""
    with tempfile.NamedTemporaryFile("r") as out:
        strace = subprocess.Popen(["strace", "-f", "-c", "-qq", "-o", out.name,
                                   *(word for pid in pids for word in ("-p", str(pid)))],
                                  stderr=subprocess.DEVNULL)
        until(lambda: all(proc.status(pid, "TracerPid") not in ([], ["0"]) for pid in pids),
              "strace to attach")
        said = wrk(address, "/", 8, 1, keep_alive=keep_alive)
        strace.send_signal(signal.SIGINT)
        strace.wait()
        total = re.search(r"^100\.00\s+\S+\s+\d+\s+(\d+)", out.read(), re.M)
    if not total or not said["requests"]:
        raise AssertionError("strace saw nothing")
    return int(total.group(1)) / said["requests"]
