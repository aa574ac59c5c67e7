# SPDX-License-Identifier: MIT
"""The files of ini/container/.  `make container` builds and runs the images; here is what can be
seen without an engine."""
import json
import re
import subprocess

import pytest

from lib import http
from lib.address import free_address
from lib.packages import PYTHON
from lib.server import BASE_ENV, ROOT

PLACE = f"{ROOT}/ini/container"
FILES = ["Dockerfile", "base.Dockerfile"]


def read(name):
    with open(f"{PLACE}/{name}", encoding="utf-8") as f:
        return f.read()


@pytest.mark.parametrize("name", FILES)
def test_the_build_stage_installs_what_a_build_needs(name):
    with open(f"{ROOT}/buildconf/dependencies.sh", encoding="utf-8") as f:
        build = f.read().split('build="', 1)[1].split('"', 1)[0].split()
    said = re.search(r"--no-install-recommends \\\n((?:.*\\\n)*.*)", read(name))[1]
    assert sorted(said.replace("\\", "").split()) == sorted([*build, "python3-venv"])


def test_both_images_run_alike():
    ends = [read(name).rsplit("\nENV ", 1)[1] for name in FILES]
    assert ends[0] == ends[1]
    assert re.findall(r"^(USER|STOPSIGNAL) (.*)$", ends[0], re.M) == [
        ("USER", "10001"), ("STOPSIGNAL", "SIGTERM")]


def test_the_health_check_asks_what_the_ini_file_opens(start, folder):
    web, probes = free_address(), free_address()
    with open(f"{folder}/app.py", "w", encoding="ascii") as f:
        f.write("def app(e, s):\n s('200 OK', [])\n return [b'shop']\n")
    ini = read("uwsgi.ini").replace(":8080", web).replace(":9091", probes)
    server = start(ini, folder=folder, plain=True, args=["{here}/uwsgi.ini"])
    assert http.request(web).body == b"shop"
    check = json.loads(re.search(r"^HEALTHCHECK .* CMD (.*)$", read("Dockerfile"), re.M)[1])
    assert check[0] == "python" and "127.0.0.1:9091" in check[2]

    def healthy():
        return subprocess.run([PYTHON, "-c", check[2].replace("127.0.0.1:9091", probes)],
                              env=BASE_ENV, stderr=subprocess.DEVNULL, timeout=10,
                              check=False).returncode == 0
    assert healthy()
    server.stop()
    assert not healthy()
