# SPDX-License-Identifier: MIT
"""A uwsgi.ini, and files that are nothing."""
import json
import os
import re

import pytest

from lib import http

INI = """[uwsgi]
# from a tutorial
master = true
processes = 2
enable-threads = true
http-socket = HTTP
chmod-socket = 666
module = shop:app
buffer-size = 32768
lazy = true
gevent = 100
procceses = 3
limit-as = much
env = SHOP_A=a ; b
die-on-term = 1
hook-master-start = unix_signal:15 gracefully_kill_them_all
stats = :1717

[other]
master = true
"""


def test_option_by_option(migrate):
    made = migrate("uwsgi.ini", file=("uwsgi.ini", INI))
    text = made.text
    for gone in ("master = true", "enable-threads = true", "gevent = 100", "die-on-term = 1",
                 "limit-as = much"):
        assert f"\n;{gone}\n" in text, text
    for kept in ("processes = 2", "module = shop:app", "procceses = 3", "env = SHOP_A=a ; b",
                 "chmod-socket = 666"):
        assert f"\n{kept}\n" in text
    assert text.count("[other]\nmaster = true") == 1
    assert "# from a tutorial" in text
    for said in ("660 with", "lazy-apps", "64 KiB is the default", "TERM does this", "127.0.0.1 or a",
                 ";need-app = true", ";harakiri = "):
        assert said in text
    assert "gevent = 100" in made.lacks
    assert made.code == 0, made.said


def test_what_only_this_machine_lacks_stays(migrate):
    """Without its uid the server would run as root where that user is."""
    made = migrate("uwsgi.ini", file=("uwsgi.ini", "[uwsgi]\nmodule = shop\nuid = nobody_of_this_name\n"
                                      "virtualenv = /nowhere\nharakiri = $(SHOP_TIME)\n"))
    assert {"uid = nobody_of_this_name", "virtualenv = /nowhere", "harakiri = $(SHOP_TIME)"} <= set(made.lines)
    assert made.code == 1 and "error: uid" in made.said and "there is no user" in made.lacks
    assert "harakiri" not in made.said


def test_a_section_of_the_same_file(migrate):
    made = migrate("shop.ini", file=("shop.ini", "[uwsgi]\nini = :base\nmodule = shop\n[base]\nmaster = true\n"
                                     "logto = %dlog/shop.log\n[dev]\nmaster = true\n"))
    assert "[base]\n# has no effect" in made.text and "[dev]\nmaster = true" in made.text
    assert "file of its own" not in made.lacks
    assert re.search("there is no folder .*/log$", made.said, re.M) and "/tmp/tmp" not in made.said


def test_a_file_of_a_windows_editor_on_a_mounted_folder(migrate, site):
    made = migrate("shop.ini", file=("shop.ini", "\ufeff[uwsgi]\r\nmodule = shop\r\n"))
    assert made.code == 0 and "module = shop" in made, made.said
    os.chmod(f"{site}/shop.ini", 0o755)
    assert "module = shop" in migrate("shop.ini")


@pytest.mark.parametrize("name, text", [
    ("a.xml", "<?xml version='1.0'?>\n<config><uwsgi>\n<!-- x --><master/>\n<processes> 2 </processes>"
     "<env>SHOP_A=a&amp;b</env><module>shop:app</module><http-socket>HTTP</http-socket>\n</uwsgi></config>"),
    ("a.yml", "other:\n  processes: 3\nuwsgi:   # ours\n  master: true\n  processes: 2\n  env:\n"
     "    - 'SHOP_A=a&b'\n  # no: 1\n  module: shop:app\n  http-socket: \"HTTP\"\n")])
def test_xml_and_yaml(migrate, serve, name, text):
    made = migrate(name, file=(name, text))
    assert "processes = 2" in made and "processes = 3" not in made and ";master" in made.text, made.said
    serve(made)
    assert json.loads(http.request(made.http).body)["environment"] == {"SHOP_A": "a&b"}


def test_a_command_line(migrate, serve):
    made = migrate("SHOP_A=1", "/usr/bin/uwsgi_python3", "-M", "-p2", "--http-socket=HTTP", "-w", "shop",
                   "--gevent", "10")
    assert {"processes = 2", "module = shop", "env = SHOP_A=1"} <= set(made.lines), made.text
    assert "\n;master\n" in made.text and "\n;gevent = 10\n" in made.text
    serve(made)
    assert json.loads(http.request(made.http).body)["environment"] == {"SHOP_A": "1"}


@pytest.mark.parametrize("name, text, said", [
    ("shop.service", "[Service]\nExecStart = /srv/venv/bin/uwsgi --ini shop.ini\nKillSignal=SIGQUIT\n",
     "KillSignal=SIGQUIT: ends the server at once"),
    ("shop.conf", "[program:logs]\ncommand=tail -F /var/log/uwsgi/x\n[program:shop]\n"
     "command=bash -c 'cd x && uwsgi shop.ini'\n", "shop] command: is now")])
def test_what_starts_uwsgi(migrate, site, name, text, said):
    with open(f"{site}/shop.ini", "w", encoding="ascii") as f:
        f.write("[uwsgi]\nmodule = shop\n")
    made = migrate(name, file=(name, text))
    assert "ini = shop.ini" in made and "uwsgi --migrate FILE" in made.lacks and said in made.lacks
    assert ("home = /srv/venv" in made) == (name == "shop.service")


def test_it_is_served_as_before(migrate, serve):
    made = migrate("uwsgi.ini", file=("uwsgi.ini", INI.replace("stats = :1717\n", "")))
    serve(made)
    said = json.loads(http.request(made.http).body)
    assert said["environment"] == {"SHOP_A": "a ; b"}


def test_what_is_moved_needs_no_more_moving(migrate):
    once = migrate("uwsgi.ini", file=("uwsgi.ini", INI))
    again = migrate("again.ini", file=("again.ini", once.text))
    assert [line for line in again.lines if line not in once.lines] == []
    assert "has no effect" not in again.text.replace(once.text, "").split("\n;")[-1]


def test_a_file_beside_it(migrate, site):
    with open(f"{site}/more.ini", "w", encoding="ascii") as f:
        f.write("[uwsgi]\nmodule = shop:app\n")
    made = migrate("uwsgi.ini", file=("uwsgi.ini", "[uwsgi]\nini = %dmore.ini\nprocesses = 2\n"))
    assert made.code == 0 and made.said == "", made.said
    assert "is a file of its own" in made.lacks and "keep both" in made.lacks


def test_no_word_behind_it_is_an_option_of_this_server(migrate):
    made = migrate("gunicorn", "--version-of-mine", "--stop", "-", "shop:app")
    assert made.code == 0 and "--stop" in made.lacks


def test_what_is_not_known_is_said(migrate):
    assert "usage: uwsgi --migrate FILE" in migrate().said
    assert "there is no file nothing.py" in migrate("nothing.py").said
    assert "no server is found" in migrate("cherryd", "shop:app").said


@pytest.mark.parametrize("name, text, said", [
    ("a.json", '{"applications": {}}', "no application of the type python"),
    ("b.json", "{", "is no JSON"),
    ("c.txt", "hello\n", "nothing that is known here"),
    ("d.conf", "[program:a]\ncommand=cat\n", "no program there"),
    ("e.json", '{"uwsgi": {"processes": 2}}', "uwsgi --check --json"),
    ("f.json", '{"applications": [1]}', "not as NGINX Unit has it"),
    ("g.conf", "x\n[program:a]\n", "no section headers"),
    ("h.json", '{"a":' * 9999 + "1" + "}" * 9999, "nested too deeply"),
    ("i.ini", "[uwsgi]\n" + "a" * (1 << 20), "more than 1 MiB"),
    ("j.py", "raise SystemExit", "ends the Python that runs it"),
    ("k.service", "[Service]\nExecStart=gunicorn -c /nowhere.py a\n", "there is no file /nowhere.py"),
    ("l.xml", "<uwsgi>", "is no XML"),
    ("m.xml", "<a/>", "no <uwsgi> in"),
    ("n.yml", "uwsgi:\n", "no uwsgi: with options"),
    ("t.ini", "{% include 'x' %}\n", "nothing that is known here"),
    ("Procfile", "worker: x\n", "no line web"),
], ids=lambda value: value[:20])
def test_what_cannot_be_moved_is_said(migrate, name, text, said):
    made = migrate(name, file=(name, text))
    assert made.code == 1 and made.text == "" and said in made.said
