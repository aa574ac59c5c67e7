# SPDX-License-Identifier: MIT
"""What debian/ has beside what `make install` installs: units, the generator, what sites inherit.  `make
fresh-deb` tries the packages themselves."""
import configparser
import os
import re
import shlex
import shutil
import signal
import subprocess

import pytest

from lib import http, uwsgi
from lib.notify import Manager
from lib.server import APPS, BASE_ENV, COMMAND, ROOT

DEBIAN = f"{ROOT}/debian"


def unit(name, folder):
    """With the test's folder for /run and /etc, and this build for the installed one."""
    with open(f"{DEBIAN}/{name}", encoding="utf-8") as f:
        text = f.read()
    for path, here in (("/usr/bin/uwsgi", os.path.realpath(COMMAND[0])), ("/run/", f"{folder}/run/"),
                       ("/etc/", f"{folder}/etc/"), ("/usr/share/uwsgi/conf", folder),
                       ("%i", "shop"), ("\\\n", " ")):
        text = text.replace(path, here)
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    parser.optionxform = str
    parser.read_string(text)
    return parser


def run(line):
    return subprocess.run(shlex.split(line), env=BASE_ENV, capture_output=True, text=True,
                          timeout=30, check=False)


@pytest.fixture
def site(no_process_left, as_root, start, folder):
    """A server that is not started, the site shop of Debian's folders."""
    server = start.not_yet("", folder=folder, plain=True)
    os.makedirs(f"{folder}/run/uwsgi/app")
    os.makedirs(f"{folder}/etc/uwsgi/apps-enabled")
    with open(f"{DEBIAN}/default.ini", encoding="utf-8") as f:
        default = f.read()
    for name, text in (("default.ini", default.replace("/run/", f"{folder}/run/")),
                       ("etc/uwsgi/apps-enabled/shop.ini",
                        f"[uwsgi]\nplugins = python3\nhttp-socket = {server.names['http']}\n"
                        f"pythonpath = {APPS}\nmodule = basic\n")):
        with open(f"{folder}/{name}", "w", encoding="utf-8") as f:
            f.write(text)
    return server


def test_the_unit_of_a_site_starts_reloads_and_stops(site, folder):
    service = unit("systemd/uwsgi@.service", folder)["Service"]
    assert run(service["ExecStartPre"]).returncode == 0
    manager = Manager(f"{folder}/notify")
    site.env = {**site.env, "NOTIFY_SOCKET": manager.name, "UWSGI_DEB_CONFNAMESPACE": "app",
                "UWSGI_DEB_CONFNAME": "shop"}
    site.command = shlex.split(service["ExecStart"].replace("${INHERITED_CONFIG}",
                                                            f"{folder}/default.ini"))
    site.args = []
    site.spawn()
    try:
        while "READY" not in manager.read():
            pass
        assert http.request(site.http, "/hello").body == b"hello\n"
        assert uwsgi.request(f"{folder}/run/uwsgi/app/shop/socket").body == b"hello\n"
        assert run(service["ExecReload"]).returncode == 0
        site.send(signal.SIGTERM)
        assert site.wait() == 0
    finally:
        manager.close()
    assert os.listdir(f"{folder}/run/uwsgi/app/shop") == ["socket"]
    assert run(service["ExecStopPost"]).returncode == 0
    assert not os.path.exists(f"{folder}/run/uwsgi/app/shop")


@pytest.mark.parametrize("name", ["uwsgi@shop.service", "uwsgi.service", "uwsgi-emperor.service",
                                  "uwsgi-app@shop.socket", "uwsgi-app@shop.service"])
def test_systemd_understands_the_units(folder, name):
    if not shutil.which("systemd-analyze"):
        pytest.skip("needs systemd-analyze (systemd)")
    for each in os.listdir(DEBIAN):
        if each.endswith(".service"):
            shutil.copy(f"{DEBIAN}/{each}", f"{folder}/{each[len('uwsgi-ng.'):]}")
    shutil.copytree(f"{DEBIAN}/systemd", folder, dirs_exist_ok=True)
    for each in os.listdir(folder):
        if each.endswith(".service"):
            with open(f"{folder}/{each}", encoding="utf-8") as f:
                text = f.read().replace("/usr/bin/uwsgi ", os.path.realpath(COMMAND[0]) + " ")
            with open(f"{folder}/{each}", "w", encoding="utf-8") as f:
                f.write(text)
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", f"{folder}/{name}"],
                          env={**BASE_ENV, "SYSTEMD_UNIT_PATH": f"{folder}:"}, timeout=30,
                          capture_output=True, text=True, check=False)
    said = [line for line in done.stderr.splitlines() if "uwsgi" in line]
    assert done.returncode == 0 and said == [], done.stderr


def test_the_generator_finds_the_sites(folder):
    with open(f"{DEBIAN}/uwsgi-generator", encoding="utf-8") as f:
        script = f.read().replace("/etc/uwsgi/apps-enabled", f"{folder}/sites")
    os.mkdir(f"{folder}/sites")

    def found():
        done = subprocess.run(["sh", "-c", script, "sh", f"{folder}/units"], timeout=20,
                              capture_output=True, text=True, check=True)
        try:
            return sorted(os.listdir(f"{folder}/units/uwsgi.service.wants")), done.stderr
        except FileNotFoundError:
            return [], done.stderr

    assert found() == ([], "")
    for name in ("shop.ini", "my-blog.example.ini", "README", "two words.ini"):
        with open(f"{folder}/sites/{name}", "w", encoding="ascii"):
            pass
    names, said = found()
    assert names == ["uwsgi@my-blog.example.service", "uwsgi@shop.service"]
    assert "two words.ini: no name for a unit" in said


def test_a_plugin_of_another_package_is_named_so(folder):
    built = os.path.dirname(os.path.realpath(COMMAND[0]))
    if not os.path.exists(f"{built}/plugins/manifest"):
        pytest.skip("needs a server in the folder that it was built in")
    os.mkdir(f"{folder}/plugins")
    shutil.copy(COMMAND[0], f"{folder}/uwsgi")
    for name in os.listdir(f"{built}/plugins"):
        if name != "python":
            os.symlink(f"{built}/plugins/{name}", f"{folder}/plugins/{name}")
    said = run(f"{folder}/uwsgi --check --http-socket :0 --module basic").stderr
    assert 'plugin "python" not found, though the server was built with it; Debian\'s packages of ' \
           'plugins are called uwsgi-ng-plugin-' in said
    assert "; there are uwsgi_proto, http" in said
    assert not re.search("there are .*python", said)


def test_the_packages_have_the_servers_version_and_dependencies():
    with open(f"{ROOT}/VERSION", encoding="ascii") as version, \
            open(f"{DEBIAN}/changelog", encoding="utf-8") as changelog:
        assert f"uwsgi-ng ({version.read().strip()}) " in changelog.readline()
    with open(f"{ROOT}/buildconf/dependencies.sh", encoding="utf-8") as f:
        build = set(re.search(r'^build="([^"]*)"', f.read(), re.M)[1].split())
    with open(f"{DEBIAN}/control", encoding="utf-8") as f:
        wanted = set(re.findall(r"^ ([\w.+-]+)(?: <!nocheck>)?,$", f.read(), re.M))
    # Every Debian that builds packages has the first two.
    assert build - {"gcc", "make", "pkg-config"} == wanted - {"pkgconf", "libcmocka-dev"}
