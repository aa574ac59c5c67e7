# SPDX-License-Identifier: MIT
"""The ini files that packages of Debian bring, in their shape: each starts and serves, and what is
said about it is what its reader has to know."""
import os
import re

import pytest

from lib import http, uwsgi
from lib.server import COMMAND

APP = """
def application(environ, start_response):
    start_response('200 OK', [('Content-Type', 'text/plain')])
    return [b'served']
def factory(global_conf, **local_conf):
    return application
"""

# What all packages made with openstack-pkg-tools have in common.
OPENSTACK = """
buffer-size = 65535
master = true
enable-threads = true
thunder-lock = true
plugins = python3
lazy-apps = true
paste-logger = true
no-orphans = true
die-on-term = true
processes = 2
threads = 4
listen = 100
logto = {here}/log
name = NAME
uid = www-data
gid = www-data
chdir = {here}
wsgi-file = app.py
"""
NO_LENGTH = "rem-header = Content-Length\n"
CLOSE = "add-header = Connection: close\n"
CHUNKS = ("http-auto-chunked = true\nhttp-chunked-input = true\nhttp-raw-body = true\n"
          "wsgi-manage-chunked-input = true\nexit-on-reload = true\n")
PASTE = "paste = config:{here}/paste.ini\n"
PACKAGES = {
    "aodh-api": NO_LENGTH + CLOSE + PASTE,
    "barbican-api": NO_LENGTH + CLOSE + PASTE + "no-default-app = true\n",
    "cinder-api": NO_LENGTH + "socket-timeout = 10\n" + CHUNKS + "chmod-socket = 666\n",
    "cloudkitty-api": CLOSE + PASTE,
    "designate-api": CLOSE + PASTE,
    "glance-api": NO_LENGTH + "socket-timeout = 10\n" + CHUNKS + "chmod-socket = 666\n" + CLOSE,
    "gnocchi-api": "wsgi = app\npythonpath = {here}\n",   # and no wsgi-file
    "heat-api": NO_LENGTH,
    "ironic-api": NO_LENGTH,
    "keystone": NO_LENGTH + "plugins = python3,apparmor\napparmor-profile = keystone\n",
    "magnum-api": NO_LENGTH + CLOSE + PASTE,
    "manila-api": NO_LENGTH + CLOSE + PASTE,
    "masakari-api": NO_LENGTH + PASTE + "no-default-app = true\n",
    "mistral-api": NO_LENGTH + CLOSE + PASTE,
    "neutron-api": NO_LENGTH + PASTE,
    "nova-api": NO_LENGTH,
    "nova-api-metadata": NO_LENGTH + "processes = 1\n",
    "octavia-api": NO_LENGTH,
    "placement-api": NO_LENGTH + CLOSE,
    "sahara-api": NO_LENGTH,
    "swift-proxy-server": CHUNKS + "plugins = python3,transformation_chunked\n"
                          "route = .* addheader:Date: ${{httptime[]}}\nroute-run = chunked:\n",
}
# Without --http-socket on the command line.
OTHERS = {
    "mailman3-web": """
uwsgi-socket = {own_unix}
enable-threads = true
chdir = {here}
wsgi-file = app.py
master = true
process = 2
threads = 2
uid = www-data
gid = www-data
plugins = python3
attach-daemon = python3 manage.py qcluster
logto = {here}/log
""",
    "radicale": """
single-interpreter = True
plugins = python3
workers = 2
cheaper = 1
threads = 4
uid = www-data
gid = www-data
chown-socket = www-data
socket = {own_unix}
wsgi-file = {here}/app.py
env = RADICALE_CONFIG=/etc/radicale/config
umask 027
if-not-exists = {here}/collections
exec-as-root = mkdir -p {here}/collections
endif =
exec-as-root = if ! dpkg-statoverride --list {here} >/dev/null 2>&1; then true; fi
chdir2 = {here}
""",
}
SAID = {
    "keystone": ['plugin "apparmor" of uWSGI is not here, ignored: THE APPLICATION IS NOT CONFINED',
                 'option "apparmor-profile" of uWSGI .*: THE APPLICATION IS NOT CONFINED'],
    "swift-proxy-server": ['plugin "transformation_chunked" of uWSGI is not here, ignored: http'],
    "mailman3-web": ['unknown option "process", ignored; did you mean "processes"'],
    "radicale": ['did you mean "umask = 027"'],
}


@pytest.fixture
def package(start, folder):
    """The server of a package, started as its script does."""
    def run(ini, *words):
        for name, text in (("app.py", APP), ("paste.ini", "[app:main]\n"
                                             "paste.app_factory = app:factory\n"),
                           ("manage.py", "import time\ntime.sleep(60)\n")):
            with open(f"{folder}/{name}", "w", encoding="ascii") as f:
                f.write(text)
        with open(f"{folder}/log", "w", encoding="ascii"):
            os.chmod(f"{folder}/log", 0o666)
        os.symlink(os.path.abspath(COMMAND[0]), f"{folder}/uwsgi_python3")
        server = start.not_yet("[uwsgi]\n" + ini, folder=folder, plain=True,
                               args=[*words, "--ini", "{here}/uwsgi.ini"])
        server.command = [f"{folder}/uwsgi_python3", *COMMAND[1:]]
        return server.start()
    return run


def check_said(server, name):
    """These warnings, in this order, and no others but those that depend on the machine."""
    said = [line for line in server.log().splitlines()
            if re.search(r"(warning|error): (?!running as root|uid and gid are left)", line)]
    wanted = SAID.get(name, [])
    assert len(said) == len(wanted), said
    for line, pattern in zip(said, wanted):
        assert re.search(pattern, line), line


@pytest.mark.parametrize("name", PACKAGES)
def test_a_service_of_openstack_starts(package, name):
    own = PACKAGES[name]
    common = OPENSTACK.replace("wsgi-file = app.py\n", "") if "wsgi = " in own else OPENSTACK
    server = package(common.replace("NAME", name) + own, "--http-socket", "{http}",
                     "--processes", "2")
    assert http.request(server.http).body == b"served"
    check_said(server, name)


@pytest.mark.parametrize("name", OTHERS)
def test_another_service_starts(package, name):
    server = package(OTHERS[name])
    assert uwsgi.request(server.own_unix).body == b"served"
    check_said(server, name)
