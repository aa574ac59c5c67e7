# SPDX-License-Identifier: MIT
"""What stands in the pages of docs/: each block is run, or named here with why it is not; files, make
targets and options that are named exist."""
import os
import re
import subprocess

import pytest

from lib import pages
from lib.server import BASE_ENV, COMMAND, ROOT
from lib.wait import until

NAMES = sorted(n for n in os.listdir(f"{ROOT}/docs") if n.endswith(".md"))
LINE_OF_INI = re.compile(r"\[[\w:.-]+\]|[#;].*|[\w-]+\s*=.*|[\w-]+|\s*")

# Fenced blocks: who runs those of a page.
FENCED = {"first-steps.md": "test_follow.py", "sizing.md": "test_follow.py",
          "performance.md": "test_follow.py",
          "frameworks.md": "test_frameworks.py", "troubleshooting.md": "test_troubleshooting.py",
          "ini-language.md": "test_ini_language.py", "from-gunicorn.md": "../moving/test_moving.py",
          "from-uwsgi.md": "../moving/test_moving.py"}

# Indented ones that are no ini file: page, how it begins, and who runs it or why nobody does.
OTHERS = [
    ("architecture.md", "nginx ──uwsgi", "a picture"),
    ("deploying.md", "backend app", "t/lib/rolling.py"),
    ("deploying.md", "upstream app", "t/lib/rolling.py"),
    ("deploying.md", "resolver", "needs nginx 1.27.3, which Debian does not have"),
    ("emperor.md", "uwsgi --emperor", "t/emperor/ starts it with folders of its own"),
    ("from-gunicorn.md", "", "t/migrate/ and t/moving/"),
    ("installing.md", "apt-get", "t/fresh.py"),
    ("installing.md", "buildconf/dependencies.sh build", "installs; t/install/ does it elsewhere"),
    ("installing.md", "dpkg", "installs another architecture"),
    ("kubernetes.md", "", "t/install/test_kubernetes.py"),
    ("logging.md", "", "t/config/test_logging_page.py"),
    ("observing.md", "", "t/inspect/ asks the same; Prometheus and Kubernetes are not here"),
    ("plugins.md", "cc -O2", "t/sdk/ compiles each example"),
    ("scaling.md", "4 workers", "log lines; t/process/ waits for them"),
    ("sizing.md", "what the import", "a sum"),
    ("static-files.md", "location", "beside its ini; t/static/test_web_servers.py"),
    ("timeouts.md", "", "a picture and log lines; t/reload/test_harakiri.py"),
]


def indented():
    """(page, block) of all pages, without what stands in fences."""
    for name in NAMES:
        text = pages.FENCE.sub("", pages.read(name))
        for block in pages.INDENTED.findall(text):
            yield name, re.sub("^    ", "", block, flags=re.M)


def is_ini(block):
    lines = block.splitlines()
    return any("=" in line for line in lines) and all(map(LINE_OF_INI.fullmatch, lines))


def owner(name, block):
    return next((who for page, begins, who in OTHERS
                 if page == name and block.lstrip().startswith(begins)), None)


INI = [(name, block) for name, block in indented() if is_ini(block) and not owner(name, block)]


@pytest.mark.parametrize("name, block", INI, ids=[name for name, _ in INI])
def test_a_piece_of_an_ini_file_is_without_errors(folder, name, block):
    """A piece need not say what is served, and what it names need not be on this machine."""
    if "[uwsgi]" not in block:
        block = "[uwsgi]\n" + block
    with open(f"{folder}/page.ini", "w", encoding="utf-8") as f:
        f.write(block)
    done = subprocess.run([*COMMAND, "--check", f"{folder}/page.ini"], env=BASE_ENV, cwd=folder,
                          capture_output=True, text=True, timeout=20, check=False)
    said = done.stdout + done.stderr
    wrong = [line for line in said.splitlines()
             if re.search(r"error:|unknown option|no effect", line)
             and not re.search("no such|not found|cannot read|cannot open|is not here", line)]
    assert wrong == [], block


def test_each_other_block_is_somebody_s():
    assert [f"{name}: {block}" for name, block in indented()
            if not is_ini(block) and not owner(name, block)] == []
    used = {(name, owner(name, block)) for name, block in indented()}
    assert [row for row in OTHERS if (row[0], row[2]) not in used] == []


def test_hooks_of_the_page_about_gunicorn(start, folder):
    """An application that begins as the page says."""
    block = dict(pages.blocks(pages.read("from-gunicorn.md")))["python"]
    block = block.replace("...  # each worker", "print('post fork')  # each worker")
    with open(f"{folder}/app.py", "w", encoding="utf-8") as f:
        f.write(block + "def application(environ, start_response):\n    pass\n")
    server = start("http-socket = {http}\nwsgi-file = app.py\nneed-app = true\nprocesses = 2",
                   folder=folder)
    until(lambda: server.log().count("post fork") == 2, "both workers to say so")


def test_each_fenced_block_is_somebody_s():
    assert {name for name in NAMES if pages.blocks(pages.read(name))} == set(FENCED)
    assert [n for n in FENCED.values() if not os.path.exists(f"{ROOT}/t/config/{n}")] == []


@pytest.mark.parametrize("name", NAMES)
def test_files_that_are_named_exist(name):
    named = re.findall(r"`((?:ini|t|core|plugins|buildconf|include)/[\w./@-]+)`", pages.read(name))
    assert [path for path in named if not os.path.exists(f"{ROOT}/{path}")] == []


def test_the_map_of_the_sources_is_true():
    """Files are named by their layer, or lie in process/ and base/; every plugin is there."""
    text = pages.read("architecture.md")
    named = re.findall(r"`((?:\w+/)?\w+\.c)`", text)
    places = ("core", "core/process", "core/base")
    assert len(named) > 30
    assert [n for n in named
            if not any(os.path.exists(f"{ROOT}/{place}/{n}") for place in places)] == []
    plugins = [n for n in os.listdir(f"{ROOT}/plugins") if os.path.isdir(f"{ROOT}/plugins/{n}")]
    assert [n for n in plugins if f"`plugins/{n}`" not in text] == []


@pytest.mark.parametrize("name", NAMES)
def test_options_that_are_written_with_a_value_exist(name):
    reference = pages.read("options.md")
    known = set(re.findall(r"^### (.*)$", reference, re.M)) | set(
        re.findall(r"`([a-z0-9-]+)`", reference))
    written = re.findall(r"`([a-z]+(?:-[a-z0-9]+)+) = [^`]*`", pages.read(name))
    assert [n for n in written if n not in known and not re.match("if-|for-", n)] == []


def test_make_targets_that_are_named_exist():
    targets = set(re.findall(r"^([a-z-]+):", pages.text("Makefile"), re.M))
    named = {(name, target) for name in NAMES
             for target in re.findall(r"(?:`|^    )make (?:-C \S+ )?([a-z-]+)", pages.read(name), re.M)}
    assert len(named) > 5
    assert [pair for pair in named if pair[1] not in targets] == []
