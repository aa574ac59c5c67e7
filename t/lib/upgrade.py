# SPDX-License-Identifier: MIT
"""A server whose program is a copy, in its own folder, that a test puts another file in the place of, as
the upgrade of a package does."""
import re
import shutil

from lib import files
from lib import server as servers

TAKES_OVER = r"has taken over from the old program"


def version():
    return servers.command("--version").stdout.split()[1]


def replace(path, content, mode=0o755):
    """files.replace() of a program."""
    files.replace(path, content, mode)


def copy(folder):
    """The command that runs a copy in this folder."""
    command = servers.command_for_all(folder)
    if command[0] != f"{folder}/uwsgi":
        shutil.copy(command[0], f"{folder}/uwsgi")
    return [f"{folder}/uwsgi", *command[1:]]


class Upgraded:
    """begin(ini, …): a running server as start() makes it."""

    def __init__(self, start, folder):
        self.start, self.folder = start, str(folder)
        self.command = copy(self.folder)
        self.path, self.version = self.command[0], version()

    def not_yet(self, ini, **how):
        server = self.start.not_yet(ini, folder=self.folder, **how)
        server.command = [*server.command[:-len(self.command)], *self.command]
        return server

    def begin(self, ini, **how):
        return self.not_yet(ini, **how).start()

    def program(self):
        with open(self.path, "rb") as f:
            return f.read()

    def upgrade(self, new="9.9.9"):
        """The same program with another version."""
        old, content = f"\0{self.version}\0".encode(), self.program()
        assert old in content and len(new) + 2 == len(old)
        replace(self.path, content.replace(old, f"\0{new}\0".encode()))
        self.version = new

    def plugin(self, name):
        return f"{self.folder}/plugins/{name}/{name}_plugin.so"


def reload(server):
    """Asks for a reload; what it says of another program, and True when the new workers serve."""
    seen = len(server.log())
    reloaded = server.hup()
    said = server.log()[seen:]
    refused = re.search(r"the new program does not take over: (.*); the old one goes on", said)
    return (refused[1] if refused else re.search(TAKES_OVER, said) is not None, reloaded)
