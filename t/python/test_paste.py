# SPDX-License-Identifier: MIT
"""Applications that a file of PasteDeploy describes, as Pyramid's are."""
import pytest

from lib import http

pytest.importorskip("paste.deploy")

APP = """
import logging
def factory(global_conf, **local_conf):
    def application(environ, start_response):
        logging.getLogger('shop').info('asked for %s', environ['PATH_INFO'])
        start_response('200 OK', [])
        return [(local_conf['word'] + ' ' + global_conf['here']).encode()]
    return application
def wrong(global_conf):
    return 'no application'
"""
FILE = """
[uwsgi]
http-socket = {http}
env = FROM=file

[app:main]
paste.app_factory = shop:factory
word = first

[app:second]
paste.app_factory = shop:factory
word = second

[app:wrong]
paste.app_factory = shop:wrong

[loggers]
keys = root
[handlers]
keys = out
[formatters]
keys = short
[logger_root]
level = INFO
handlers = out
[handler_out]
class = StreamHandler
args = (sys.stderr,)
formatter = short
[formatter_short]
format = %(name)s says %(message)s
"""


@pytest.fixture
def paste(start, folder):
    """A server whose configuration ends with these lines."""
    def run(ini="", args=(), started=True):
        with open(f"{folder}/shop.py", "w", encoding="ascii") as f:
            f.write(APP)
        server = start.not_yet("http-socket = {own}\npythonpath = {here}\n" + ini, folder=folder,
                               args=list(args))
        with open(f"{folder}/shop.ini", "w", encoding="ascii") as f:
            f.write(FILE.format_map({**server.names, "http": server.names["http"]}))
        return server.start() if started else server
    return run


def body(address):
    return http.request(address, "/it").body.decode()


@pytest.mark.parametrize("line, word", [
    ("paste = config:{here}/shop.ini", "first"), ("paste = config:shop.ini", "first"),
    ("paste = {here}/shop.ini", "first"), ("paste = shop.ini", "first"),
    ("paste = config:{here}/shop.ini#second", "second"),
    ("paste = config:{here}/shop.ini\npaste-name = second", "second")])
def test_the_application_of_the_file_is_served(paste, folder, line, word):
    server = paste(line + "\n")
    assert body(server.own) == f"{word} {folder}"
    assert "shop says" not in server.log()


def test_paste_logger_configures_logging(paste):
    server = paste("paste = config:{here}/shop.ini\npaste-logger = true\n")
    body(server.own)
    server.wait_log("^shop says asked for /it$")


@pytest.mark.parametrize("option, logs", [("ini-paste", False), ("ini-paste-logged", True)])
def test_one_file_for_both(paste, folder, option, logs):
    server = paste(f"{option} = {{here}}/shop.ini\n")
    assert body(server.http) == body(server.own) == f"first {folder}"
    assert ("shop says asked for /it" in server.log()) == logs


def test_on_the_command_line(paste, folder):
    server = paste(args=["--ini-paste", "shop.ini"])
    assert body(server.http) == f"first {folder}"
    assert server.hup()
    assert body(server.http) == f"first {folder}"


def test_the_file_needs_no_section_for_the_server(paste, folder):
    server = paste("ini-paste = shop.ini\n", started=False)
    with open(f"{folder}/shop.ini", "w", encoding="ascii") as f:
        f.write(FILE[FILE.index("[app:main]"):])
    server.start()
    assert body(server.own) == f"first {folder}"
    assert "warning: " not in server.log().replace("warning: running as root", "")


def test_wsgi_file_comes_first(paste, folder):
    with open(f"{folder}/mine.py", "w", encoding="ascii") as f:
        f.write("from basic import application\n")
    server = paste("paste = config:{here}/shop.ini\nwsgi-file = {here}/mine.py\n")
    assert http.request(server.own, "/hello").body == b"hello\n"


def test_a_logging_configuration_that_is_wrong_is_said_and_the_server_serves(paste, folder):
    server = paste("paste = config:{here}/shop.ini\npaste-logger = true\n", started=False)
    with open(f"{folder}/shop.ini", "w", encoding="ascii") as f:
        f.write(FILE[FILE.index("[app:main]"):FILE.index("[loggers]")])
    server.start()
    server.wait_log("paste-logger: cannot configure logging")
    assert body(server.own) == f"first {folder}"


@pytest.mark.parametrize("uri, said", [
    ("config:/nowhere/at/all.ini", "cannot load application: paste config:/nowhere/at/all.ini"),
    ("config:shop.ini#wrong", "makes no application but a str"),
    ("config:shop.ini#third", "third")])
def test_what_cannot_be_loaded_is_said(paste, uri, said):
    server = paste(f"paste = {uri}\nneed-app = true\n", started=False)
    assert server.run() == 22
    server.wait_log(said)


def test_without_the_package_its_name_is_said(paste):
    server = paste("paste = config:shop.ini\nneed-app = true\nno-site = true\n", started=False)
    assert server.run() == 22
    server.wait_log("paste needs the Python package PasteDeploy")
