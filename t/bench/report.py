# SPDX-License-Identifier: MIT
"""Tables from results."""


def _time(seconds):
    if seconds is None:
        return "-"
    return f"{seconds * 1e6:.0f} µs" if seconds < 1e-3 else f"{seconds * 1e3:.1f} ms"


def table(row):
    """One case: a line for each server, the fastest first."""
    ours = row["servers"].get("this uwsgi")
    lines = ["| server | requests/s | of ours | p50 | p99 | CPU µs a request | PSS MB | errors |",
             "|-|-|-|-|-|-|-|-|"]
    for name, said in sorted(row["servers"].items(), key=lambda item: -item[1]["rate"]):
        ratio = f"{said['rate'] / ours['rate']:.2f}" if ours else "-"
        pss = f"{said['pss_kib'] / 1024:.1f}" if said["pss_kib"] else "-"
        lines.append(f"| {name} | {said['rate']:,.0f} | {ratio} | {_time(said['p50'])} | "
                     f"{_time(said['p99'])} | {said['cpu_us']:.1f} | {pss} | {said['errors']} |")
    return "\n".join(lines)


def one(row):
    return f"\n### {row['case']}, {row['mode']}, {row['connections']} connections\n\n{table(row)}"


def write(result, path, argv):
    with open(path, "w", encoding="utf-8") as f:
        f.write("# Measured side by side\n\n")
        f.write(f"Made by `{' '.join(argv)}`. Medians of runs that take turns; every server runs "
                "the same\napplication with the same number of workers and threads. CPU is that of "
                "all processes of\nthe server, without nginx and the load generator.\n\n")
        f.write("| server | version |\n|-|-|\n")
        for name, version in result["versions"].items():
            f.write(f"| {name} | {version} |\n")
        f.write("\nWhat Python alone takes for one call, CPU µs: " + ", ".join(
            f"{app} {us:.2f}" for app, us in result["python_us"].items()) + "\n")
        for row in result["cases"]:
            f.write(one(row) + "\n")
        if "first_answer_s" in result:
            f.write("\n### From exec to the first answer\n\n| server | ms |\n|-|-|\n")
            for name, s in sorted(result["first_answer_s"].items(), key=lambda item: item[1]):
                f.write(f"| {name} | {s * 1e3:.0f} |\n")
