# SPDX-License-Identifier: MIT
"""The images of ini/container/, built and run word for word; no engine and no registry is needed.

    make container                          on Debian 12; as root, with buildah and debootstrap
    make container CONTAINER=trixie         on Debian 13
    DEBIAN_MIRROR=http://… PIP_CERT=/etc/ssl/… make container       as with make fresh

Images and containers lie in a folder of their own, which is gone afterwards.  They use the
machine's network: ports 8080 and 9091 of the loopback interface must be free."""
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile

import fresh
from fresh import ROOT, Failed, run, say

BASE = "localhost/debian"
# What comes after "FROM uwsgi-ng" in the comment of base.Dockerfile, too.
with open(f"{ROOT}/ini/container/base.Dockerfile", encoding="utf-8") as base:
    ON_BASE = [line[3:].strip() for line in base
               if line.startswith("#   ") and not line.startswith("#   docker")]


class Engine:
    """buildah with a storage of its own below folder.  It takes no service, and works where this
    machine is a container."""

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

    def buildah(self, *words):
        done = subprocess.run(["buildah", *self.places, *words], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, text=True, timeout=900, check=False)
        if done.returncode:
            raise fresh.ended_with(done.returncode, f"buildah {words[0]}")
        return done.stdout.strip()

    def import_debian(self, suite):
        root = f"{self.folder}/debian"
        fresh.debootstrap(suite, root)
        os.remove(f"{root}/etc/resolv.conf")
        container = self.buildah("from", "scratch")
        self.buildah("add", container, root, "/")
        self.buildah("commit", "--rm", container, BASE)
        shutil.rmtree(root)

    def build(self, tag, folder, file):
        # The format that has health checks.
        self.buildah("build", "--format", "docker", "--network", "host", "--isolation", "chroot",
                     *self.mounts, "--build-arg", f"DEBIAN={BASE}", "--tag", tag, "--file", file,
                     folder)


def application(folder, archive):
    """What a person has: an application, its requirements, its ini file and its Dockerfile."""
    os.makedirs(folder)
    shutil.copy(f"{ROOT}/ini/demo/app.py", folder)
    for name in ("Dockerfile", "uwsgi.ini"):
        shutil.copy(f"{ROOT}/ini/container/{name}", folder)
    shutil.copy(archive, folder)
    with open(f"{folder}/requirements.txt", "w", encoding="ascii") as f:
        f.write(f"./{os.path.basename(archive)}\nflask\n")


class Container:
    """Runs what an image says, as an engine does: process 1 of its own process ids, with the
    image's command, user, folder and environment, in the machine's network."""
    # $1: the root, $2: the user, $3: the folder; then environment and command.
    script = """
root=$1 user=$2 folder=$3; shift 3
mount --rbind /dev "$root/dev" && mount -t proc proc "$root/proc"
exec chroot --userspec="$user:$user" "$root" env -i --chdir="$folder" "$@"
"""

    def __init__(self, engine, tag):
        self.name = engine.buildah("from", tag)
        self.root = engine.buildah("mount", self.name)
        self.config = json.loads(engine.buildah("inspect", self.name))["Docker"]["config"]

    def words(self, command):
        config = self.config
        return ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-ec", self.script,
                "sh", self.root, config["User"], config["WorkingDir"], *config["Env"], *command]

    def start(self):
        self.process = subprocess.Popen(self.words(self.config["Cmd"]), stdin=subprocess.DEVNULL,
                                        start_new_session=True)

    def first(self):
        """The process that is 1 in there."""
        with open(f"/proc/{self.process.pid}/task/{self.process.pid}/children",
                  encoding="ascii") as f:
            return int(f.read().split()[0])

    def check_health(self):
        kind, *command = self.config["Healthcheck"]["Test"]
        assert kind == "CMD"
        run(self.words(command), 1)

    def stop(self):
        os.kill(self.first(), getattr(signal, self.config["StopSignal"]))
        return self.process.wait(20)

    def kill(self):
        self.process.kill()  # and with it, all that runs in there
        self.process.wait()


def serves(engine, tag):
    """Runs it until the page is there, looks at it, and stops it."""
    fresh.nobody_serves()
    container = Container(engine, tag)
    container.start()
    try:
        fresh.wait_for_page(container.process, tag, 0.5)
        container.check_health()
        first = container.first()
        with open(f"/proc/{first}/cmdline", encoding="utf-8") as f:
            command = f.read().split("\0")[0]
        user = os.stat(f"/proc/{first}").st_uid
        code = container.stop()
        if (command, user, code) != ("uwsgi", 10001, 0):
            raise Failed(f"{tag}: process 1 is {command} of {user}; it ended with {code}")
        say(f"{tag}: healthy, process 1, user 10001, ended by SIGTERM with 0")
    finally:
        container.kill()
        engine.buildah("rm", container.name)


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


if __name__ == "__main__":
    fresh.main(sys.argv[1:], try_suite, "container", [("buildah", "buildah")])
