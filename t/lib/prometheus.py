# SPDX-License-Identifier: MIT
"""A real Prometheus and its promtool, of Debian's package prometheus."""
import json
import shutil
import subprocess
import urllib.parse

import pytest

from lib import http
from lib.address import free_address


def need(program):
    if not shutil.which(program):
        pytest.skip(f"{program} is not installed (package prometheus)")


def promtool(*args, text=None):
    """What it writes; it finds nothing wrong."""
    need("promtool")
    done = subprocess.run(["promtool", *args], input=text, capture_output=True, text=True, timeout=50,
                          check=False)
    assert done.returncode == 0 and not done.stderr, done.stdout + done.stderr
    return done.stdout


class Prometheus:
    """Runs until end() by the file prometheus.yml of this folder, where its data go, too."""

    def __init__(self, folder):
        need("prometheus")
        self.address = free_address()
        self.process = subprocess.Popen(
            ["prometheus", f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data",
             f"--web.listen-address={self.address}", "--log.level=error"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def get(self, path):
        """The data of an answer of its API; None while it starts."""
        try:
            answer = http.request(self.address, f"/api/v1/{path}")
        except OSError:       # it does not listen yet
            return None
        if answer.status == 503:
            return None
        said = json.loads(answer.body)
        assert said["status"] == "success", (path, said)
        return said["data"]

    def ask(self, query):
        """The values of what a query finds."""
        data = self.get(f"query?query={urllib.parse.quote(query)}")
        return [float(one["value"][1]) for one in data["result"]] if data else []

    def end(self):
        self.process.kill()
        self.process.wait()
