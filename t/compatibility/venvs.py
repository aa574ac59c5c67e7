# SPDX-License-Identifier: MIT
"""Virtual environments of Debian's Python under build/apps/, one for each application, filled from the
Python index; and uWSGI's newest release, which is compiled once."""
import os
import subprocess

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
FOLDER = os.path.join(ROOT, "build", "apps")
PYTHON = "/usr/bin/python3"
QUIET = ["--quiet", "--disable-pip-version-check", "--no-input"]
MINUTES = 10
LISTING = """
import importlib.metadata as m
for d in m.distributions():
    print(d.metadata['Name'], d.version)
"""


class Missing(Exception):
    """The packages are not to be had; the text says why."""


def _run(*argv):
    try:
        done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=MINUTES * 60)
    except subprocess.TimeoutExpired as e:
        raise Missing(f"not there after {MINUTES} minutes") from e
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if "rror" in line] or ["no reason given"]
        raise Missing(lines[-1].strip()[:200])
    return done.stdout


def _pip():
    """The pip that fills all of them; they have none."""
    tools = os.path.join(FOLDER, "tools")
    pip = os.path.join(tools, "bin", "pip")
    if not os.path.exists(pip):
        _run(PYTHON, "-m", "venv", tools)
        _run(pip, "install", *QUIET, "--upgrade", "pip")
    return pip


def filled(name, packages, *, debians=False):
    """The path of the environment; the packages are installed if it does not have just these.  With
    debians it finds Debian's packages, too, but has its own of those that are named."""
    path = os.path.join(FOLDER, name)
    note, wanted = os.path.join(path, "packages"), "\n".join(packages)
    if os.path.exists(note):
        with open(note, encoding="utf-8") as f:
            if f.read() == wanted:
                return path
    pip = _pip()
    _run(PYTHON, "-m", "venv", "--clear", "--without-pip", path,
         *(["--system-site-packages"] if debians else []))
    _run(pip, "--python", os.path.join(path, "bin", "python"), "install", *QUIET, *packages,
         *(["--ignore-installed"] if debians else []))
    with open(note, "w", encoding="utf-8") as f:
        f.write(wanted)
    return path


def program(name, path="bin"):
    """What an environment of its own has to offer: compiled here, not a wheel made elsewhere."""
    return os.path.join(filled(name.lower(), [name]), path, name.lower())


def versions(path):
    """{package, in small letters and with hyphens: its version}"""
    said = _run(os.path.join(path, "bin", "python"), "-c", LISTING)
    return {name.lower().replace("_", "-"): version for name, version in map(str.split, said.splitlines())}


# For `make bench`: servers of the index, and the same frameworks for all, which are Debian's.
PEERS = ("gunicorn", "granian", "waitress", "bjoern")


def main():
    """Installs what `make bench` measures beside Debian's packages."""
    try:
        program("uWSGI")
        for name in PEERS:
            filled(f"newest-{name}", [name], debians=True)
    except Missing as e:
        print(f"the newest peers are left out: {e}")


if __name__ == "__main__":
    main()
