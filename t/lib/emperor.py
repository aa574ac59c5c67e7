# SPDX-License-Identifier: MIT
"""An emperor and the files of its vassals."""
import os

from lib import files, http
from lib.server import APPS

APP = "http-socket = {http}\nmodule = basic\n"


def write(server, path, text):
    """A vassal's file."""
    files.replace(path, f"[uwsgi]\npythonpath = {APPS}\n{text.format_map(server.names)}")


class Emperor:
    """An emperor of the folder {here}/vassals, which it looks into once a second."""

    def __init__(self, start, ini="", env=None, **vassals):
        """start: the fixture, or an Upgraded."""
        self.server = start.not_yet("emperor = vassals\nemperor-freq = 1\n" + ini, env=env)
        self.folder = f"{self.server.folder}/vassals"
        os.mkdir(self.folder)
        for name, text in vassals.items():
            self.write(f"{name}.ini", text)
        self.server.start()

    def write(self, name, text):
        write(self.server, f"{self.folder}/{name}", text)

    def remove(self, name):
        os.remove(f"{self.folder}/{name}")

    def said(self, pattern, times=1):
        return self.server.wait_each(pattern, times)[times - 1]

    def serves(self, name, times=1):
        """The pid of this vassal."""
        return int(self.said(rf"^vassal {name} \(pid (\d+)\) serves", times))

    def ask(self, name, path="/hello"):
        return http.request(self.server.names[name], path).body
