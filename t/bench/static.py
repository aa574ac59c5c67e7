#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Static files: requests for each CPU second of nginx, this server and Debian's uWSGI, in turn, one process
each, over kept connections (uWSGI closes them).

usage: t/bench/static.py [--rounds N] [--seconds N] [--markdown BENCHMARKS.md]

--markdown replaces the section of that file.
"""
import argparse
import os
import signal
import statistics
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
sys.path.insert(0, HERE)
sys.dont_write_bytecode = True
import measure  # noqa: E402
import report  # noqa: E402
from lib.address import connect, free_address  # noqa: E402
from lib.server import COMMAND  # noqa: E402
from lib.wait import until  # noqa: E402

FILES = {"10 KB": 10_240, "100 KB": 102_400, "1 MiB": 1 << 20}
NGINX = """worker_processes 1; daemon off; error_log {folder}/log; pid {folder}/pid;
events {{ worker_connections 1024; }}
http {{
    sendfile on; tcp_nopush on; keepalive_requests 1000000; access_log off;
    server {{ listen {address}; location /s/ {{ alias {folder}/files/; }} }}
}}
"""


def commands(folder):
    """{name: (address, argv)}"""
    nginx, ours, uwsgi = free_address(), free_address(), free_address()
    with open(f"{folder}/nginx.conf", "w", encoding="utf-8") as f:
        f.write(NGINX.format(folder=folder, address=nginx))
    words = ["--wsgi-file", f"{HERE}/hello.py", "--static-map", f"/s={folder}/files", "--master",
             "--processes", "1", "--disable-logging"]
    return {"nginx": (nginx, ["nginx", "-c", f"{folder}/nginx.conf"]),
            "this server": (ours, [*COMMAND, "--http-socket", ours, *words]),
            "uWSGI": (uwsgi, ["uwsgi_python3", "--http-socket", uwsgi, *words])}


def start(folder):
    processes = {}
    for name, (address, argv) in commands(folder).items():
        with open(f"{folder}/{name}.log", "wb") as log:
            processes[name] = address, subprocess.Popen(argv, stdout=log, stderr=log)
        until(lambda a=address: _answers(a), f"{name} to listen", 10)
    return processes


def _answers(address):
    try:
        connect(address, 1).close()
    except OSError:
        return False
    return True


def a_cpu_second(address, process, name, path, options):
    pids = measure.tree(process.pid)
    before = measure.cpu_s(pids)
    run = measure.wrk(address, path, 16, options.seconds, keep_alive=name != "uWSGI")
    return run["requests"] / (measure.cpu_s(pids) - before)


def rows(processes, folder, options):
    for text, size in FILES.items():
        with open(f"{folder}/files/{size}", "wb") as f:
            f.write(os.urandom(size))
        found = {name: [] for name in processes}
        for _ in range(options.rounds):
            for name, (address, process) in processes.items():
                found[name].append(a_cpu_second(address, process, name, f"/s/{size}", options))
        middle = {name: statistics.median(f) for name, f in found.items()}
        ours = middle["this server"]
        yield (f"| {text} | " + " | ".join(f"{n:,.0f}" for n in middle.values()) +
               f" | {ours / middle['nginx']:.2f} | {ours / middle['uWSGI']:.2f} |")


def introduction():
    version = subprocess.run(["nginx", "-v"], capture_output=True, text=True, check=True).stderr
    return ("Made by `t/bench/static.py --markdown BENCHMARKS.md`. Requests for each CPU second of the server, "
            "one process each, 16\nconnections over loopback, "
            f"{measure.machine()['congestion']}; {version.split(':')[1].strip()} with `sendfile on; "
            "tcp_nopush on`; uWSGI closes\neach connection.\n\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=2)
    parser.add_argument("--markdown")
    options = parser.parse_args()
    lines = ["| file | nginx | this server | uWSGI | × nginx | × uWSGI |", "|-|-|-|-|-|-|"]
    with tempfile.TemporaryDirectory(prefix="uwsgi-static-") as folder:
        os.chmod(folder, 0o755)
        os.mkdir(f"{folder}/files", 0o755)
        processes = start(folder)
        try:
            lines += rows(processes, folder, options)
        finally:
            for _, process in processes.values():
                process.send_signal(signal.SIGINT)  # uWSGI reloads at SIGTERM
                process.wait()
    print("\n".join(lines))
    if options.markdown:
        report.write_section(options.markdown, "Static files", introduction() + "\n".join(lines))


if __name__ == "__main__":
    main()
