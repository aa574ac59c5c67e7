# SPDX-License-Identifier: MIT
"""Tables from results."""
import os

OURS = "this uwsgi"
INTRO = """# Figures, and the command that made them

Made by `{command}`, which can be run again by anyone. This server, Debian's packages of the peers and, in
the simplest cases and those with frameworks, the peers' newest releases on the Python index ("newest")
are started with the same application and as many workers and threads, and take turns in one run; the
figures are medians of {rounds} rounds of {seconds} s. Every answer's status and length is checked
before it counts. Times say little on a shared machine: look at the ratios. "of ours" is the ratio of
requests/s to this server's. CPU is that of all processes of the server, without nginx and the load
generator, which have columns of their own or none. With one worker, server and load generator have a
core each. The floor is a C loop that answers a constant (t/bench/floor/epoll.c). uWSGI's http11-socket
serves one connection at a time, so its p50 is that of one. For a connection each, `wrk` counts uWSGI's
answers as read errors, because they end without a length.

bjoern sends the answers of one turn of its loop together, when the last of them is made; this server
sends each at once, because the next request may take long, or end the process; so each answer may
wake its reader. Debian's shared libpython runs Python code slower than /usr/bin/python3 does, whatever
the server: uwsgi-static has the code linked in, bjoern runs in python3 itself. The application of the
JSON case takes 199,000 instructions in the shared library of Python 3.11, 186,000 in uwsgi-static and
177,000 in python3; the server around it 13,000 here and 19,000 in bjoern.

Behind nginx with a connection each, nginx has one process, which is the limit: it pays for waking
whoever sleeps, and a server that is done sooner sleeps more often.

{cores} cores, Linux {kernel}, TCP congestion control {congestion} (bbr paces bodies of 1 MiB over
loopback, too, which slows some servers and not others).

"""

HOSTILE = "What hostile clients cost others"
HOSTILE_INTRO = """
Made by `t/bench/hostile.py --realtime --markdown BENCHMARKS.md`, as root. A well-behaved client asks for
"hello" 200 times a second, on a connection each (25 times for an answer that takes 20 ms); beside it a
hostile client of one kind is at work, or none, in turn. Of {rounds} rounds of {seconds:g} s each the
quietest counts, since other work of the machine only adds. Times are in ms; the server's CPU is in
cores; memory, in MB and the most that there was, and descriptors are those of the workers, then of the
router. There is one worker with one thread, but for the slow application (two workers) and for streams
(two workers with two threads). The kinds are rows of t/lib/attacks.py; each is also a short test.

(*) What it costs that they do not read: "without" is beside the same clients who do.

"""


def _time(seconds):
    if seconds is None:
        return "-"
    return f"{seconds * 1e6:.0f} µs" if seconds < 1e-3 else f"{seconds * 1e3:.1f} ms"


def table(row):
    """One case: a line for each server, the fastest first."""
    ours = row["servers"].get(OURS)
    front = any(said.get("front_us") for said in row["servers"].values())
    lines = ["| server | requests/s | of ours | p50 | p99 | CPU µs a request | "
             f"{'and of nginx | ' if front else ''}PSS MB | errors |",
             "|-|-|-|-|-|-|-|-|" + ("-|" if front else "")]
    for name, said in sorted(row["servers"].items(), key=lambda item: -item[1]["rate"]):
        ratio = f"{said['rate'] / ours['rate']:.2f}" if ours else "-"
        pss = f"{said['pss_kib'] / 1024:.1f}" if said["pss_kib"] else "-"
        nginx = f"{said['front_us']:.1f} | " if front else ""
        lines.append(f"| {name} | {said['rate']:,.0f} | {ratio} | {_time(said['p50'])} | "
                     f"{_time(said['p99'])} | {said['cpu_us']:.1f} | {nginx}{pss} | "
                     f"{said['errors']} |")
    return "\n".join(lines)


def one(row):
    return f"\n### {row['case']}, {row['mode']}, {row['connections']} connections\n\n{table(row)}"


def by_mode(title, columns, found, cells):
    """A line for each mode and server."""
    head = "".join(f" {column} |" for column in columns)
    lines = [f"\n### {title}\n", f"| mode | server |{head}", "|-|-|" + "-|" * len(columns)]
    for mode, said in found.items():
        lines += [f"| {mode} | {name} | " + " | ".join(cells(each)) + " |"
                  for name, each in said.items()]
    return "\n".join(lines) + "\n"


def _read(path):
    if not os.path.exists(path):
        return ""
    with open(path, encoding="utf-8") as f:
        return f.read()


def write_section(path, heading, text):
    """Replaces a section "## ..." of the file, or adds it."""
    before, found, rest = _read(path).partition(f"\n## {heading}\n")
    _, other, rest = rest.partition("\n## ") if found else ("", "", "")
    with open(path, "w", encoding="utf-8") as f:
        f.write(f"{before.rstrip()}\n\n## {heading}\n\n{text.strip()}\n{other}{rest}")


def write_hostile(path, table, options):
    write_section(path, HOSTILE, HOSTILE_INTRO.format(rounds=options.rounds,
                                                      seconds=options.seconds) + table)


def write(result, path, command, options):
    _, heading, sections = _read(path).partition("\n## ")
    with open(path, "w", encoding="utf-8") as f:
        f.write(INTRO.format(command=command, rounds=options.rounds, seconds=options.seconds,
                             **result["machine"]))
        f.write("| server | version |\n|-|-|\n")
        for name, version in result["versions"].items():
            f.write(f"| {name} | {version} |\n")
        f.write("\nWhat Python alone takes for one call, CPU µs: " + ", ".join(
            f"{app} {us:.2f}" for app, us in result["python_us"].items()) + "\n")
        if "first_answer_s" in result:
            write_apart(result, f)
        for row in result["cases"]:
            f.write(one(row) + "\n")
        f.write(heading + sections)


def write_apart(result, f):
    f.write("\n### What one request costs a worker\n\nCounted on the worker in 500 requests, with "
            "`disable-logging`; malloc by a preloaded library\n(t/bench/syscalls.py).\n\n")
    f.write(result["one_request"])
    f.write("\n### Instructions of a hello request\n\nOf all processes of the server, Python's "
            "included, the kernel's not; by callgrind, on kept\nconnections, `socket` on one each "
            "(t/bench/instructions.py, which also compares two binaries).\n\n")
    f.write(result["instructions"])
    f.write(by_mode("System calls a request, all processes of the server", ["calls"],
                    result["system_calls"], lambda calls: [f"{calls:.2f}"]))
    f.write(by_mode("9,900 idle clients, and 100 that ask beside them",
                    ["bytes of memory for each idle one", "requests/s, of those without idle ones"],
                    result["idle"],
                    lambda said: [f"{said['bytes']:,.0f}", f"{said['rate']:.2f}"]))
    f.write(by_mode("20 reloads under load", ["requests", "lost", "worst latency"],
                    result["reloads"], lambda said: [f"{said['requests']:,}", str(said["lost"]),
                                                     _time(said["worst_s"])]))
    f.write("\n### From exec to the first answer\n\n| server | ms |\n|-|-|\n")
    for name, s in sorted(result["first_answer_s"].items(), key=lambda item: item[1]):
        f.write(f"| {name} | {s * 1e3:.0f} |\n")
