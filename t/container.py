# SPDX-License-Identifier: MIT
"""The images of ini/container/, built and run word for word; no engine and no registry is needed.

    make container                          on Debian 12; as root, with buildah, podman, debootstrap
    make container CONTAINER=trixie         on Debian 13
    DEBIAN_MIRROR=http://… PIP_CERT=/etc/ssl/… make container       as with make fresh

Images and containers lie in a folder of their own, which is gone afterwards.  They use the machine's
network: ports 8080 and 9091 of the loopback interface must be free."""
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request

import fresh
from fresh import ROOT, Failed, run, say

BASE = "localhost/debian"
# What comes after "FROM uwsgi-ng" in the comment of base.Dockerfile, too.
ON_BASE = [line[3:].strip() for line in open(f"{ROOT}/ini/container/base.Dockerfile", encoding="utf-8")
           if line.startswith("#   ") and not line.startswith("#   docker")]


class Engine:
    """buildah and podman with a storage of their own below folder."""

    def __init__(self, folder):
        self.folder = folder
        self.places = ["--root", f"{folder}/storage", "--runroot", f"{folder}/run",
                       "--storage-driver", "overlay"]
        self.mounts = ["--volume", "/etc/resolv.conf:/etc/resolv.conf:ro"]
        if os.environ.get("PIP_CERT"):
            with open(f"{folder}/pip.conf", "w", encoding="ascii") as f:
                f.write("[global]\ncert = /etc/pip-cert.pem\n")
            self.mounts += ["--volume", f"{os.environ['PIP_CERT']}:/etc/pip-cert.pem:ro",
                            "--volume", f"{folder}/pip.conf:/etc/pip.conf:ro"]

    def buildah(self, *words, minutes=10):
        run(["buildah", *self.places, *words], minutes, stdout=subprocess.DEVNULL)

    def podman(self, *words):
        done = subprocess.run(["podman", *self.places, "--cgroup-manager", "cgroupfs", *words],
                              stdout=subprocess.PIPE, text=True, timeout=120, check=False)
        if done.returncode:
            raise fresh.ended_with(done.returncode, f"podman {words[0]}")
        return done.stdout.strip()

    def import_debian(self, suite):
        root = f"{self.folder}/debian"
        fresh.debootstrap(suite, root)
        os.remove(f"{root}/etc/resolv.conf")
        with subprocess.Popen(["tar", "-C", root, "-c", "."], stdout=subprocess.PIPE) as tar:
            run(["podman", *self.places, "import", "--quiet", "-", BASE], 10, stdin=tar.stdout,
                stdout=subprocess.DEVNULL)
        shutil.rmtree(root)

    def build(self, tag, folder, file):
        # The format that has health checks.
        self.buildah("build", "--format", "docker", "--network", "host", "--isolation", "chroot",
                     *self.mounts, "--build-arg", f"DEBIAN={BASE}", "--tag", tag, "--file", file,
                     folder)


def page(port=8080, path="/"):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return answer.read().decode()
    except OSError:
        return ""


def application(folder, archive):
    """What a person has: an application, its requirements, its ini file and its Dockerfile."""
    os.makedirs(folder)
    shutil.copy(f"{ROOT}/ini/demo/app.py", folder)
    for name in ("Dockerfile", "uwsgi.ini"):
        shutil.copy(f"{ROOT}/ini/container/{name}", folder)
    shutil.copy(archive, folder)
    with open(f"{folder}/requirements.txt", "w", encoding="ascii") as f:
        f.write(f"./{os.path.basename(archive)}\nflask\n")


def serves(engine, tag):
    """Runs it until the page is there, looks at it, and stops it."""
    if page():
        raise Failed("somebody else serves http://127.0.0.1:8080/ already")
    # Also where this machine is a container that may not raise limits or make groups.
    name = engine.podman("run", "--detach", "--network", "host", "--cgroups", "disabled",
                         "--ulimit", "host", tag)
    try:
        started = time.monotonic()
        while "It works" not in page():
            if time.monotonic() - started > 30:
                raise Failed(f"{tag} serves nothing: {engine.podman('logs', name)}")
            time.sleep(0.1)
        say(f"{tag} serves after {time.monotonic() - started:.1f} s")
        engine.podman("healthcheck", "run", name)
        first = engine.podman("exec", name, "cat", "/proc/1/cmdline").split("\0")[0]
        users = engine.podman("exec", name, "stat", "-c", "%u", "/proc/1")
        engine.podman("stop", "--time", "20", name)
        state = json.loads(engine.podman("inspect", name))[0]["State"]
        if (first, users, state["ExitCode"]) != ("uwsgi", "10001", 0):
            raise Failed(f"{tag}: process 1 is {first} of {users}; it ended with {state['ExitCode']}")
        say(f"{tag}: healthy, process 1, user 10001, ended by SIGTERM with 0")
    finally:
        engine.podman("rm", "--force", name)


def try_suite(suite, folder):
    engine = Engine(folder)
    say(f"{suite}: debootstrap")
    engine.import_debian(suite)
    sys.path.insert(0, f"{ROOT}/buildconf/pip")
    import backend
    archive = f"{folder}/{backend.build_sdist(folder)}"
    application(f"{folder}/shop", archive)
    say(f"{suite}: the application's own image")
    engine.build("shop", f"{folder}/shop", f"{folder}/shop/Dockerfile")
    serves(engine, "shop")
    say(f"{suite}: the base image, and an application on it")
    with tempfile.TemporaryDirectory() as clone:
        run(["tar", "-x", "--strip-components", "1", "-f", archive, "-C", clone], 2)
        engine.build("uwsgi-ng", clone, f"{ROOT}/ini/container/base.Dockerfile")
    with open(f"{folder}/shop/Dockerfile", "w", encoding="utf-8") as f:
        f.write("\n".join(ON_BASE) + "\n")
    with open(f"{folder}/shop/requirements.txt", "w", encoding="ascii") as f:
        f.write("flask\n")
    engine.build("shop-on-base", f"{folder}/shop", f"{folder}/shop/Dockerfile")
    serves(engine, "shop-on-base")


def main(suites):
    if os.geteuid() != 0:
        sys.exit("make container needs root")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended by SIGTERM"))
    for suite in suites:
        folder = tempfile.mkdtemp(prefix="uwsgi-container-", dir=os.environ.get("FRESH_DIR"))
        try:
            try_suite(suite, folder)
        except (Failed, subprocess.TimeoutExpired) as e:
            sys.exit(f"{suite}: FAILED: {e}")
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        say(f"{suite}: passed")


if __name__ == "__main__":
    main(sys.argv[1:])
