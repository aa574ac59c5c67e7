# SPDX-License-Identifier: MIT
"""Help, the reference page and the completion of shells: all from the same tables."""
import functools
import json
import os
import re
import shutil
import subprocess
import sys

import pytest

from lib.server import ROOT
from lib.server import command as uwsgi

@functools.lru_cache(None)
def document(kind):
    """What `make docs` or `make install` keeps: markdown, man, bash or zsh."""
    said = uwsgi("--help-json")
    assert said.returncode == 0 and said.stderr == ""
    made = subprocess.run([sys.executable, f"{ROOT}/buildconf/documents.py", kind],
                          input=said.stdout.encode(), capture_output=True, check=True, timeout=20)
    return made.stdout.decode()


WRITTEN = ("processes", "harakiri", "http-socket", "module", "log-format", "touch-reload")


def test_the_short_help_fits_on_a_screen_or_two():
    done = uwsgi("--help")
    lines = done.stdout.splitlines()
    assert done.returncode == 0 and done.stderr == ""
    assert len(lines) < 70
    assert max(map(len, lines)) <= 80
    for name in WRITTEN:
        assert f"--{name}" in done.stdout


def test_every_choice_of_the_short_help_is_an_option():
    chosen = re.findall(r'^\t\{ (?:NULL|"[A-Z]\w+"), "([a-z-]+)"', open(
        os.path.join(ROOT, "core", "settings", "help.c"), encoding="utf-8").read(), re.M)
    assert len(chosen) > 30
    said = uwsgi("--help").stdout
    assert [name for name in chosen if f"--{name}" not in said] == []


def test_all_options_are_in_the_long_help():
    done = uwsgi("--help-all")
    assert max(map(len, done.stdout.splitlines())) <= 100
    for name in (*WRITTEN, "so-keepalive", "cheaper-algo"):
        assert name in done.stdout


@pytest.mark.parametrize("name, said", [
    ("harakiri", ["-t, --harakiri SECONDS", "type          seconds", "in a file     harakiri = 60",
                  "as a word     --harakiri 60", "environment   UWSGI_HARAKIRI=60",
                  "uWSGI         one deadline"]),
    ("--workers", ["--processes NUMBER", "from 1 to 4096", "default       1",
                   "also          workers"]),
    ("master", ["-M, --master", "accepted, and always so"]), ("protocol", ["one of: uwsgi, http", "default       uwsgi"]),
    ("buffer-size", ["default       64k", "bytes; k, m and g are understood"]),
    ("file-write", ["accepted and has no effect yet (hooks of a few more kinds)"])])
def test_one_option_is_explained(name, said):
    done = uwsgi(f"--help={name}")
    assert done.returncode == 0
    for words in said:
        assert words in done.stdout


@pytest.mark.parametrize("name, said", [
    ("vaccum", 'unknown option "vaccum"; did you mean "vacuum"?'),
    ("emperor-tyrant", "of uWSGI is not supported here: vassals do not become the owner of their file")])
def test_what_is_no_option_is_said_with_what_to_use(name, said):
    done = uwsgi("--help", name)
    assert done.returncode == 1 and done.stdout == "" and said in done.stderr


# ---- for programs ----

def test_programs_read_what_there_is_as_json():
    said = json.loads(uwsgi("--help-json").stdout)
    options = {o["name"]: o for module in said["modules"] for o in module["options"]}
    assert options["harakiri"]["letter"] == "t" and options["harakiri"]["takes"] == "required"
    assert options["processes"]["also"] == ["workers"] and options["processes"]["default"] == "1"
    assert "http" in options["protocol"]["choices"]
    assert {"help", "reload"} <= {row["name"] for row in said["commands"]}
    assert {s["status"] for s in said["subjects"]} >= {"always", "planned", "elsewhere"}
    others = {o["name"]: o for subject in said["subjects"] for o in subject["options"]}
    assert others["master"]["letter"] == "M" and others["no-orphans"]["letter"] is None


@pytest.mark.parametrize("word", ["--help-man", "--help-markdown", "--completion"])
def test_who_asks_for_a_document_is_shown_what_it_is_made_of(word):
    done = uwsgi(word)
    assert done.returncode == 1 and 'did you mean "help-json"?' in done.stderr


# ---- the reference page ----

def test_the_reference_page_is_what_the_tables_say():
    with open(os.path.join(ROOT, "docs", "options.md"), encoding="utf-8") as f:
        assert f.read() == document("markdown"), "run `make docs` and commit the page"


def test_every_option_has_a_sentence_and_an_example():
    page = document("markdown").partition("## Accepted, and always so")[0]
    options = page.split("\n### ")[1:]
    assert len(options) > 150
    for option in options:
        name, _, text = option.partition("\n\n")
        sentence = text.split("\n\n")[0]
        assert re.fullmatch(r"[A-Z0-9#].*[^.]\.", sentence, re.S), f"{name}: {sentence}"
        assert "= ...`" not in text, f"{name} has no example"
        assert not sentence.startswith("The same"), f"{name} is read without the option before it"


def test_every_option_of_uwsgi_is_known():
    """Those of uWSGI 2.0 with all its plugins."""
    with open(os.path.join(ROOT, "t", "fixtures", "uwsgi-options.txt"), encoding="ascii") as f:
        names = f.read().split()
    assert len(names) > 1300
    said = json.loads(uwsgi("--help-json").stdout)
    known = {n for m in said["modules"] for o in m["options"] for n in (o["name"], *o["also"])}
    known |= {o["name"] for s in said["subjects"] for o in s["options"]}
    assert [name for name in names if name not in known] == []


def test_no_option_that_works_is_said_to_have_no_effect():
    page, _, rest = document("markdown").partition("## Accepted, and always so")
    works = set(re.findall(r"^### (\S+)$", page, re.M))
    for also in re.findall(r"^- also: (.*)$", page, re.M):
        works |= set(re.findall(r"`([\w.-]+)`", also))
    without = {name for line in re.findall(r"^- .*?: (`.*)$", rest, re.M)
               for name in re.findall(r"`([\w.-]+)`", line)}
    assert len(without) > 600
    assert works & without == set()


# ---- the manual page ----

def test_the_manual_page_has_every_option_and_no_mistake():
    page = document("man")
    options = re.findall(r"^### (\S+)$", document("markdown"), re.M)
    assert len(options) > 150
    names = re.findall(r'^\.It (?:Fl . , )?Fl Fl "\\&([^"]+)"', page, re.M)
    missing = {name for name in options} - {name.replace("\\-", "-") for name in names}
    assert missing == set()


def ini_page():
    with open(f"{ROOT}/docs/ini-language.md", encoding="utf-8") as f:
        return subprocess.run([f"{ROOT}/buildconf/manpage.py"], stdin=f, capture_output=True, text=True,
                              check=True, timeout=20).stdout


@pytest.mark.skipif(not shutil.which("mandoc"), reason="mandoc is not installed")
@pytest.mark.parametrize("page, text, said", [
    ("uwsgi.1", lambda: document("man"), "application server for Python"),
    ("uwsgi.ini.5", ini_page, "There are +, -, *, / and %% (the remainder)")])
def test_mandoc_has_nothing_to_say_about_the_manual_pages(folder, page, text, said):
    with open(f"{folder}/{page}", "w", encoding="utf-8") as f:
        f.write(text())
    done = subprocess.run(["mandoc", "-T", "lint", f"{folder}/{page}"], capture_output=True,
                          text=True, check=False, timeout=20)
    assert [line for line in done.stdout.splitlines()
            if ": " in line and "manual not found" not in line] == []
    shown = subprocess.run(["mandoc", "-T", "utf8", f"{folder}/{page}"], capture_output=True,
                           text=True, check=True, timeout=20).stdout
    assert said in " ".join(re.sub(".\b", "", shown).split())


# ---- what is installed ----

def files_of(folder):
    return sorted(os.path.relpath(os.path.join(path, name), folder)
                  for path, _, names in os.walk(folder) for name in names)


def test_uninstall_takes_away_what_install_has_put_there(folder):
    usr = f"{folder}/usr/local"
    others = ["bin/uwsgi-core", "lib/uwsgi/other_plugin.so", "share/man/man1/ls.1"]
    for name in others:
        os.makedirs(os.path.dirname(f"{usr}/{name}"))
        open(f"{usr}/{name}", "wb").close()

    def make(target):
        # What is built is taken as it is: other tests run it meanwhile.
        subprocess.run(["make", "-s", "-C", ROOT, "-o", "all", target, f"DESTDIR={folder}",
                        f"PYTHON={os.environ.get('UWSGI_PYTHON', '/usr/bin/python3')}"],
                       check=True, timeout=50, capture_output=True)
    make("install")
    installed = files_of(usr)
    for name in ("bin/uwsgi", "lib/uwsgi/python_plugin.so", "share/man/man1/uwsgi.1",
                 "share/man/man5/uwsgi.ini.5",
                 "share/bash-completion/completions/uwsgi", "include/uwsgi/plugin.h",
                 "lib/pkgconfig/uwsgi.pc", "lib/uwsgi/manifest"):
        assert name in installed
    make("uninstall")
    assert files_of(usr) == others
    os.remove(f"{usr}/lib/uwsgi/other_plugin.so")
    make("uninstall")
    assert not os.path.exists(f"{usr}/lib/uwsgi")


# ---- completion ----

def complete(shell_line, folder):
    script = document("bash")
    words = shell_line.split(" ")
    code = (f"{script}\nCOMP_WORDS=({' '.join(words)}{' ' if words[-1] else ' '}"
            f"{'' if words[-1] else repr('')})\nCOMP_CWORD={len(words) - 1}\n_uwsgi\n"
            'printf "%s\\n" "${COMPREPLY[@]}"\n')
    done = subprocess.run(["bash", "-c", code], capture_output=True, text=True, check=True,
                          cwd=folder, timeout=20)
    assert done.stderr == ""
    return done.stdout.split()


def test_bash_completes_names_choices_and_files(folder):
    for name in ("a.ini", "b.txt"):
        with open(f"{folder}/{name}", "w", encoding="ascii"):
            pass
    assert complete("uwsgi --proto", folder) == ["--protocol"]
    assert "--check" in complete("uwsgi --che", folder)
    assert complete("uwsgi --protocol htt", folder) == ["http", "http11"]
    assert complete("uwsgi --logto b", folder) == ["b.txt"]
    assert "a.ini" in complete("uwsgi ", folder) and "b.txt" not in complete("uwsgi ", folder)


def test_the_script_for_bash_is_sound():
    done = subprocess.run(["bash", "-n"], input=document("bash"), text=True,
                          capture_output=True, check=False)
    assert done.returncode == 0 and done.stderr == ""


@pytest.mark.skipif(not shutil.which("zsh"), reason="needs zsh")
def test_the_script_for_zsh_is_sound():
    done = subprocess.run(["zsh", "-n"], input=document("zsh"), text=True,
                          capture_output=True, check=False)
    assert done.returncode == 0 and done.stderr == ""
