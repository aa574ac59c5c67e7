# SPDX-License-Identifier: MIT
"""The edges of PEP 3333 (t/apps/edges.py), and what an application finds when it is imported."""
import json
import os
import re
import subprocess
import sys

import pytest

from lib import http
from lib.server import APPS, ROOT

PYTHON = os.environ.get("UWSGI_PYTHON", "/usr/bin/python3")
INI = """
http-socket = {http}
module = edges
threads = 2
socket-timeout = 5
"""


@pytest.fixture(scope="module")
def server():
    from lib.starter import Starter, make_folder
    things = []
    try:
        yield Starter(things, [])(INI, folder=make_folder())
    finally:
        for thing in things:
            thing.end()


def ask(server, name, **how):
    return http.request(server.http, f"/{name}", **how)


# ---- the environ ----

def test_names_that_nobody_sends_twice_do_not_displace_others(start):
    """A scanner's; with strings at hand a request costs less."""
    server = start(INI.replace("threads = 2", ""), env={"PYTHONHASHSEED": "1"})
    with http.Connection(server.http) as c:
        def names(*headers):
            return json.loads(c.request("/same_names", headers=[(h, "1") for h in headers]).body)
        for i in range(50):
            names(*(f"X-Scan-{i}-{j}" for j in range(50)))
        assert "HTTP_X_OWN" not in names("X-Own")["again"]
        said = names("X-Own", "Referer")
    assert said["again"] == ["HTTP_X_OWN"]
    assert {"HTTP_REFERER", "HTTP_HOST", "REQUEST_METHOD"} <= set(said["literal"])


# ---- types and modules ----

def test_types_are_the_interpreters_own(start):
    """Made on its heap; nobody but the server makes an input or a start_response, or changes them; and
    objects that come and go leave no reference behind."""
    server = start(INI.replace("threads = 2", ""))
    # By the fifth the server has what it keeps of requests that are alike.
    first, *_, last = [json.loads(ask(server, "types").body) for _ in range(50)][5:]
    assert first == last
    for name, (on_heap, made, changed, _) in first.items():
        assert on_heap, name
        assert made.startswith("TypeError: ")
        assert changed.startswith("TypeError: ") or re.search(r"Python 3\.[89]\.", server.log())
        assert name == "file_wrapper" or "cannot create 'uwsgi." in made


def test_each_interpreter_has_a_module_of_its_own(start):
    server = start(INI)
    if re.search(r"Python 3\.[89]\.", server.log()):
        pytest.skip("its subinterpreters cannot be made from Python")
    assert ask(server, "in_a_subinterpreter").body == b"False False"


def test_a_python_without_a_gil_is_refused_with_a_sentence():
    said = compiles("#define Py_GIL_DISABLED 1\n#include \"compat.h\"\n")
    assert "free-threaded builds of Python" in said


def compiles(text):
    """What a compiler says of a source of the plugin."""
    flags = subprocess.run([f"{PYTHON}-config", "--includes"], capture_output=True, text=True,
                           check=True).stdout.split()
    return subprocess.run(["cc", "-fsyntax-only", "-xc", "-iquote", f"{ROOT}/plugins/python", *flags,
                           "-"], input=text, capture_output=True, text=True, check=False).stderr


# ---- after the response ----

def test_write_to_a_client_that_has_gone_is_no_traceback(server):
    seen = len(server.log())
    with http.Connection(server.http) as c:
        c.send(http.request_bytes("/write_for_ever"))
        c.socket.recv(1000)
    server.wait_log("^writer ended")
    ask(server, "buffers")
    assert "Traceback" not in server.log()[seen:]


@pytest.mark.parametrize("name, said", [("write_in_close", "in close"),
                                        ("write_in_del", "in __del__")])
def test_write_after_the_end_raises_and_sends_nothing(server, name, said):
    with http.Connection(server.http) as c:
        assert c.request(f"/{name}").body == b"body"
        assert c.request("/buffers").body == b"onetwo"
    server.wait_log(f"^{said}: RuntimeError: write")


def test_a_client_does_not_wait_for_close(server):
    with http.Connection(server.http) as c:
        assert c.request("/waits_in_close").body == b"body"
        server.wait_log("^close began")
        assert ask(server, "release").body == b"released"
        server.wait_log("^released")
        assert c.request("/buffers").body == b"onetwo"


def test_what_is_kept_after_a_request_is_harmless(server):
    with http.Connection(server.http) as c:     # so that the first is over when the second begins
        assert c.request("/keep", "POST", body=b"body").body == b"kept"
        found = c.request("/use_kept").body.decode()
    assert found.startswith("[b'', b'', [], 'RuntimeError: ")
    assert found.count("RuntimeError") == 2


@pytest.mark.parametrize("what", ["write", "start"])
def test_of_one_request_nothing_writes_into_the_next(start, what):
    server = start(INI.replace("threads = 2", ""))
    with http.Connection(server.http) as c:
        for _ in range(3):
            assert c.request(f"/keep_one?{what}").body == b"kept"
            said = c.request(f"/use_one?{what}").body
            assert said.startswith(b"RuntimeError: ") and b"its request was over" in said


# ---- files ----

@pytest.mark.parametrize("name, body", [("gzip_file", b"plain text"),
                                        ("unwritten_file", b"456789")])
def test_file_wrapper_gives_what_read_would(server, name, body):
    assert ask(server, name).body == body


def test_a_file_without_a_size_is_read(server):
    assert b"uwsgi" in ask(server, "file_of_proc").body


@pytest.mark.parametrize("name, said", [("closed_file", "closed file"), ("text_file", "not str")])
def test_a_file_that_cannot_be_read_is_a_500(server, name, said):
    assert ask(server, name).status == 500
    server.wait_log(f"exception in GET /{name}:\n(.*\n)*.*{said}")


# ---- heads ----

@pytest.mark.parametrize("name", ["bad_header_swallowed", "bad_replacement_swallowed",
                                  "interim_status"])
def test_half_a_head_is_never_sent(server, name):
    response = ask(server, name)
    assert response.status == 500
    assert response.header("X-First") is None
    assert b"should not be seen" not in response.body


def test_an_exc_info_that_is_none_is_refused(server):
    assert ask(server, "exc_info_of_garbage").body.startswith(b"sent AssertionError")


def test_exc_info_may_be_given_by_name(server):
    assert ask(server, "exc_info_by_name").body == b"body"


# ---- bodies ----

@pytest.mark.parametrize("kind", ["bytes", "bytearray", "memoryview"])
def test_an_empty_block_sends_no_head(server, kind):
    response = ask(server, f"empty_first?{kind}")
    assert (response.status, response.body) == (500, b"changed")


def test_only_the_thread_of_the_call_may_write(server):
    assert ask(server, "write_in_thread").body.startswith(b"RuntimeError: write()")


def test_a_body_in_blocks_of_chunked_read(server):
    body = http.chunked(b"x" * 10, b"y" * 100000)
    response = ask(server, "chunked_read", method="POST",
                   headers=[("Transfer-Encoding", "chunked")], body=body)
    assert response.body == b"[10, 65536, 34464, 0]"


def test_chunked_read_is_for_the_thread_of_the_request(server):
    assert ask(server, "chunked_read_in_thread").body.startswith(b"RuntimeError: this thread")


def test_a_file_is_closed_beside_a_subinterpreter(start):
    """It is sent, and closed, after the application has returned."""
    server = start(INI)
    with http.Connection(server.http, receive_buffer=4096) as c:
        c.send(http.request_bytes("/beside_a_subinterpreter"))
        left = int(c.read_head().header("Content-Length")) - len(c.buffer)
        while left > 0:
            left -= len(c.socket.recv(left))
        c.buffer = b""
        assert c.request("/buffers").body == b"onetwo"
    assert "ended" not in server.log()


def test_a_list_behind_an_iterator_gets_its_length(server):
    """What Django's responses are: nothing is computed between two blocks."""
    response = ask(server, "list_iterator")
    assert (response.body, response.header("Content-Length")) == (b"onetwo", "6")


@pytest.mark.parametrize("name", ["by_index", "buffers"])
def test_other_kinds_of_bodies(server, name):
    assert ask(server, name).body == b"onetwo"


def test_a_list_of_many_blocks(server):
    assert ask(server, "many_blocks").body == b"0123456789" * 300000


def test_a_coroutine_is_named_as_what_it_is(server):
    assert ask(server, "coroutine").status == 500
    server.wait_log("must return an iterable of bytes, not coroutine")


def test_an_exception_that_is_no_utf8_is_logged(server):
    assert ask(server, "surrogate").status == 500
    server.wait_log(r"ValueError: \\udc80 in it")


# ---- the import ----

SHOWS = """
import os, sys, threading
def application(environ, start_response):
    start_response('200 OK', [])
    return [repr((__name__, sys.path[:4], sys.argv, sys.executable,
                  threading.current_thread().name)).encode()]
class A:
    @staticmethod
    def make():
        return application
"""


@pytest.fixture
def shows(start, folder):
    def run(ini, name="shows.py"):
        os.makedirs(os.path.dirname(f"{folder}/{name}"), exist_ok=True)
        with open(f"{folder}/{name}", "w", encoding="utf-8") as f:
            f.write(SHOWS)
        server = start("http-socket = {http}\n" + ini, folder=folder)
        return eval(http.request(server.http).body)
    run.folder = folder
    return run


def test_path_order_is_that_of_uwsgi(shows):
    path = shows("module = shows\npythonpath = one\npythonpath = /two")[1]
    path.remove(APPS)  # the pythonpath that every test server has
    assert path == ["/two", f"{shows.folder}/one", shows.folder]


def test_pythonpath_may_be_a_pattern(shows):
    os.mkdir(f"{shows.folder}/lib-a")
    assert shows("module = shows\npythonpath = lib-*")[1][0] == f"{shows.folder}/lib-a"


def test_a_file_has_the_module_name_that_uwsgi_gives_it(shows):
    assert shows("wsgi-file = sub/shows.py", "sub/shows.py")[0] == "uwsgi_file_sub_shows"


def test_a_file_may_have_any_name(shows):
    assert shows("wsgi-file = shows.wsgi", "shows.wsgi")[0] == "uwsgi_file_shows_wsgi"


def test_the_callable_may_be_made_by_a_call(shows):
    assert shows("module = shows:A.make()")[0] == "shows"


def test_arguments_executable_and_thread(shows):
    argv, executable, thread = shows("module = shows\npyargv = a  b")[2:]
    assert argv == ["uwsgi", "a", "b"]
    assert os.path.basename(executable).startswith("python")
    assert thread == "uWSGIWorker1Core0"


ASKS = """
import uwsgi
print('imported in worker', uwsgi.worker_id())
print('unfinished', end=' ')
uwsgi.post_fork_hook = lambda: print('forked worker', uwsgi.worker_id())
uwsgi.atexit = lambda: print('left worker', uwsgi.worker_id())
def application(environ, start_response):
    start_response('200 OK', [])
    return [b'x']
"""


@pytest.mark.parametrize("lazy, importers", [("false", {0}), ("true", {1, 2})])
def test_worker_id_and_hooks(start, folder, lazy, importers):
    with open(f"{folder}/asks.py", "w", encoding="utf-8") as f:
        f.write(ASKS)
    server = start(f"http-socket = {{http}}\nmodule = asks\nprocesses = 2\nlazy-apps = {lazy}",
                   folder=folder)
    for importer in importers:
        server.wait_log(f"imported in worker {importer}$")
    assert server.log().count("imported in worker") == len(importers)
    for worker in (1, 2):
        server.wait_log(f"forked worker {worker}$")
    server.stop()
    for worker in (1, 2):
        server.wait_log(f"left worker {worker}$")
    # What is printed before a fork is not printed by every worker again.
    assert server.log().count("unfinished") == len(importers)


# ---- homes ----

@pytest.fixture
def refused(start, folder):
    def run(line, **how):
        server = start.not_yet("http-socket = {http}\nmodule = edges\n" + line, folder=folder,
                               **how)
        assert server.run() not in (0, None)
        assert "encodings'" not in server.log()
        return server
    run.folder = folder
    return run


def make_venv(path):
    subprocess.run(["/usr/bin/python3", "-m", "venv", "--without-pip", path], check=True)
    return path


def test_a_home_that_is_a_file(refused):
    with open(f"{refused.folder}/v", "w", encoding="utf-8"):
        pass
    refused("home = {here}/v").wait_log("home = .*/v: not a folder: name that of the environment")


def test_a_home_that_is_nothing_of_python(refused):
    refused("home = {here}").wait_log("neither a virtualenv .* nor an installation")


def test_a_virtual_environment_whose_python_is_gone(refused):
    venv = make_venv(f"{refused.folder}/v")
    for name in os.listdir(f"{venv}/bin"):
        if name.startswith("python"):
            os.unlink(f"{venv}/bin/{name}")
    os.symlink("/nowhere/python3", f"{venv}/bin/python3")
    refused("home = {here}/v").wait_log("its bin/python3 is missing")


def test_a_wrong_pythonhome(refused):
    refused("", env={"PYTHONHOME": "{here}"}).wait_log("PYTHONHOME = .* is neither")


def test_a_virtual_environment_that_says_no_version(start, folder):
    venv = make_venv(f"{folder}/v")
    with open(f"{venv}/pyvenv.cfg", "w", encoding="utf-8") as f:
        f.write("home = /usr/bin\n")
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    with open(f"{venv}/lib/python{version}/site-packages/shows.py", "w", encoding="utf-8") as f:
        f.write(SHOWS)
    server = start("http-socket = {http}\nmodule = shows\nhome = v", folder=folder)
    executable = eval(http.request(server.http).body)[3]
    assert executable.startswith(f"{venv}/bin/python")
