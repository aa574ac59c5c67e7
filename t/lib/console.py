# SPDX-License-Identifier: MIT
"""A page of docs/ as somebody follows it: files are written, commands are run, and say what the page
says. `…` stands for any text, on a line of its own for any lines, also none."""
import os
import re
import subprocess

from lib import pages
from lib.address import free_address
from lib.server import BASE_ENV, COMMAND
from lib.wait import until

# What a command line of uwsgi has that returns by itself.
RETURNS = re.compile(r"--(check|show-config|help|version|reload|stop|status)\b")

# A block, and the name of its file where the sentence before ends with one.
STEP = re.compile(r"(?:^[^\n]*`([\w./-]+)`[^`\n]*:\n\n)?^```(\S+)\n(.*?)^```$", re.M | re.S)


def pattern(lines):
    """A regular expression for these lines of a page."""
    found = ""
    for line in lines:
        parts = [re.escape(part) for part in line.split("…")]
        found += r"(?:.*\n)*" if line == "…" else ".*".join(parts) + r"\n"
    return found


class Console:
    def __init__(self, folder):
        self.folder = str(folder)
        self.places = {name: free_address() for name in ("127.0.0.1:8080", "127.0.0.1:9090")}
        self.servers = []
        os.makedirs(f"{self.folder}/bin")
        os.symlink(os.path.realpath(COMMAND[0]), f"{self.folder}/bin/uwsgi")
        self.env = {**BASE_ENV, "PATH": f"{self.folder}/bin:{BASE_ENV['PATH']}",
                    "PYTHONDONTWRITEBYTECODE": "1"}

    def follow(self, page):
        for name, kind, text in STEP.findall(pages.read(page)):
            for old, new in self.places.items():
                text = text.replace(old, new)
            if kind == "console":
                self.commands(text)
                continue
            assert kind in ("ini", "python") and (name or kind == "ini"), f"nobody runs\n{text}"
            with open(f"{self.folder}/{name or 'unnamed.ini'}", "w", encoding="utf-8") as f:
                f.write(text)
            if not name:
                self.commands("$ uwsgi --check unnamed.ini\n…\nconfiguration: 0 errors, …\n")

    def commands(self, text):
        for command, said in re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", text, re.M):
            wanted = pattern(said.splitlines())
            if command.startswith("uwsgi ") and not RETURNS.search(command):
                self.serve(command, wanted)
            else:
                self.expect(command, wanted)

    def expect(self, command, wanted):
        """Asks a server again until it answers so: just after a reload the old generation may still take a
        request, and just after an answer a worker may still be busy."""
        says = ""

        def is_as_wanted():
            nonlocal says
            says = self.run(command)
            return re.fullmatch(wanted, says)
        try:
            until(is_as_wanted, "it", 10 if command.startswith("curl ") else 0)
        except AssertionError:
            raise AssertionError(f"{command}\nsays\n{says}\nand not\n{wanted}") from None

    def run(self, command):
        """What it says."""
        return subprocess.run(command, shell=True, cwd=self.folder, env=self.env, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=30,
                              stdin=subprocess.DEVNULL, check=False).stdout

    def serve(self, command, said):
        """One server at a time: the one before has been ended by Ctrl-C."""
        self.end()
        log = f"{self.folder}/log"
        with open(log, "wb") as out:
            self.servers.append(subprocess.Popen(["sh", "-c", f"exec {command}"], cwd=self.folder,
                                                 env=self.env, stdout=out, stderr=out,
                                                 stdin=subprocess.DEVNULL))

        def read():
            with open(log, encoding="utf-8") as f:
                return f.read()
        until(lambda: re.match(said, read()) or self.servers[-1].poll() is not None,
              f"{command} to say what the page says:\n{said}", 20)
        assert self.servers[-1].poll() is None, read()

    def end(self):
        for server in self.servers:
            server.terminate()
            server.wait(20)
        self.servers.clear()
