# SPDX-License-Identifier: MIT
"""How the application is found, imported, and what happens when it cannot be."""
import json
import os
import re
import subprocess

import pytest

from lib import http
from lib.busy import Held

EXIT_FAILED_APP = 22


def write(folder, name, text):
    path = os.path.join(folder, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    return path


APP = """
def application(environ, start_response):
    start_response('200 OK', [('Content-Type', 'text/plain')])
    return [b'{body}']
other = application
"""


@pytest.mark.parametrize("line", [
    "module = mine", "module = mine:application", "wsgi = mine:other", "module = mine.py",
    "wsgi-file = mine.py", "file = mine.py", "wsgi-file = {here}/mine.py",
    "module = mine\ncallable = other", "wsgi-file = mine.py\ncallable = other"])
def test_ways_to_name_the_application(start, folder, line):
    if line == "module = mine.py":
        line = "module = pack.mine"
        write(folder, "pack/__init__.py", "")
        write(folder, "pack/mine.py", APP.format(body="mine"))
    write(folder, "mine.py", APP.format(body="mine"))
    server = start("http-socket = {http}\n" + line, folder=folder)
    assert http.request(server.http).body == b"mine"


@pytest.mark.parametrize("args", [["-w", "mine:other"], ["--module", "mine"],
                                  ["--wsgi-file=mine.py"], ["--file", "mine.py"]])
def test_the_application_on_the_command_line(start, folder, args):
    write(folder, "mine.py", APP.format(body="mine"))
    server = start("http-socket = {http}", folder=folder, args=args)
    assert http.request(server.http).body == b"mine"


@pytest.mark.parametrize("line", ["chdir = {here}/deep\nmodule = mine",
                                  "pythonpath = {here}/deep\nmodule = mine",
                                  "pp = {here}/deep\nmodule = mine",
                                  "chdir = {here}/deep\nwsgi-file = mine.py"])
def test_where_modules_are_looked_for(start, folder, line):
    write(folder, "deep/mine.py", APP.format(body="deep"))
    server = start("http-socket = {http}\n" + line, folder=folder)
    assert http.request(server.http).body == b"deep"


def test_a_callable_named_app_is_taken_and_said(start):
    server = start("http-socket = {http}\nmodule = only_app\npyargv = one two")
    assert http.request(server.http).body == b"['one', 'two']"
    server.wait_log(r"\bapp\b.*application|application.*\bapp\b")


def test_a_callable_that_is_named_and_missing_is_said(start):
    server = start("http-socket = {http}\nmodule = only_app\ncallable = nowhere")
    assert http.request(server.http).status == 500
    server.wait_log("nowhere")


BROKEN = {
    "syntax error": ("def application(:\n", "SyntaxError"),
    "exception": ("raise RuntimeError('at import')\n", "RuntimeError: at import"),
    "missing import": ("import nothing_of_that_name\n", "nothing_of_that_name"),
    "no callable": ("x = 1\n", "application"),
    "not callable": ("application = 5\n", "application"),
    "asynchronous": ("async def application(scope, receive, send):\n    pass\n", "is asynchronous"),
    "factory": ("def app(config=None):\n    pass\n", "write it with parentheses"),
    "object of ASGI": ("class App:\n    async def __call__(self, scope, receive, send):\n        yield\n"
                       "app = App()\n", "a2wsgi.ASGIMiddleware makes WSGI of one without WebSockets"),
    "system exit": ("raise SystemExit(3)\n", "SystemExit"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_without_need_app_a_broken_application_is_500_and_said(start, folder, name):
    text, said = BROKEN[name]
    write(folder, "mine.py", text)
    server = start("http-socket = {http}\nmodule = mine", folder=folder)
    response = http.request(server.http)
    assert response.status == 500
    assert b"application" in response.body.lower()
    server.wait_log(said)


@pytest.mark.parametrize("lazy", ["", "lazy-apps = true\n"])
@pytest.mark.parametrize("name", BROKEN)
def test_with_need_app_a_broken_application_ends_the_start_with_22(start, folder, name, lazy):
    text, said = BROKEN[name]
    write(folder, "mine.py", text)
    server = start.not_yet("http-socket = {http}\nmodule = mine\nneed-app = true\n" + lazy,
                           folder=folder)
    assert server.run() == EXIT_FAILED_APP
    server.wait_log(said)


def test_a_missing_module_is_said(start):
    server = start.not_yet("http-socket = {http}\nmodule = nothing_here\nneed-app = true")
    assert server.run() == EXIT_FAILED_APP
    server.wait_log("nothing_here")


def test_a_missing_file_is_said(start):
    server = start.not_yet("http-socket = {http}\nwsgi-file = nothing.py\nneed-app = true")
    assert server.run() == EXIT_FAILED_APP
    server.wait_log(r"nothing\.py")


@pytest.mark.parametrize("module, said", [
    ("mine", r'mine has neither "application" nor "app" .*callable = NAME\); '
             r'did you mean "aplication"\?$'),
    ("mine:main", r"module 'mine' has no attribute 'main'; it has \"aplication\", \"site\"$"),
    ("mine:sight", r"module 'mine' has no attribute 'sight'; did you mean \"site\"\?$")])
def test_of_a_callable_that_is_not_there_the_nearest_is_said(start, folder, module, said):
    write(folder, "mine.py", """
from os.path import join
class Site:
    def __call__(self, environ, start_response): pass
def aplication(environ, start_response): pass
def _hidden(): pass
site = Site()
""")
    server = start.not_yet(f"http-socket = {{http}}\nmodule = {module}\nneed-app = true",
                           folder=folder)
    assert server.run() == EXIT_FAILED_APP
    server.wait_log("^AttributeError: " + said)


@pytest.mark.parametrize("text, trace", [
    ("import absent_one", ["Traceback (most recent call last):",
                           '  File "{here}/mine.py", line 1, in <module>',
                           "    import absent_one",
                           "ModuleNotFoundError: No module named 'absent_one'"]),
    ("if", ['  File "{here}/mine.py", line 1', "    if", "SyntaxError: invalid syntax"]),
    (None, ["ModuleNotFoundError: No module named 'mine'"])])
def test_a_traceback_shows_nothing_of_the_import_system(start, folder, text, trace):
    if text:
        write(folder, "mine.py", text + "\n")
    server = start.not_yet("http-socket = {http}\nmodule = mine\nneed-app = true", folder=folder)
    assert server.run() == EXIT_FAILED_APP
    said = server.log().split("cannot load application: module mine:\n", 1)[1].splitlines()
    said = [line for line in said if not re.match(r"[ ~]*\^+[ ~]*$", line)]
    assert said[:len(trace)] == [line.format(here=folder) for line in trace]


@pytest.mark.parametrize("module, denied", [("mine", "secret"), ("pack.mine", "pack")])
def test_a_folder_that_the_servers_user_may_not_read_is_said(as_root, start, folder, module,
                                                             denied):
    """The import itself only says that there is no such module."""
    write(folder, "secret/mine.py", APP.format(body="mine"))
    write(folder, "pack/mine.py", APP.format(body="mine"))
    os.chmod(f"{folder}/secret", 0o700)
    os.chmod(f"{folder}/pack", 0o700)
    server = start.not_yet("http-socket = {http}\npythonpath = {here}/secret\nneed-app = true\n"
                           f"uid = nobody\nmodule = {module}", folder=folder)
    assert server.run() == EXIT_FAILED_APP
    server.wait_log(rf"^warning: user nobody \(uid \d+\) may not read {folder}/{denied}: no module")


def test_no_application_at_all_is_said(start):
    server = start("http-socket = {http}")
    assert http.request(server.http).status == 500


def test_the_application_is_imported_once_for_all_workers(start):
    server = start("http-socket = {http}\nmodule = basic\nprocesses = 3")
    pids = {tuple(json.loads(http.request(server.http, "/parents").body)) for _ in range(30)}
    assert len({p[0] for p in pids}) == 1
    assert {p[2] for p in pids} == {server.pid}
    assert server.log().count("imported basic in") == 1
    assert all(imported != worker for imported, worker, _ in pids)


def test_with_lazy_apps_each_worker_imports_for_itself(start):
    server = start("http-socket = {http}\nmodule = basic\nprocesses = 3\nlazy-apps = true")
    imported, worker, _ = json.loads(http.request(server.http, "/parents").body)
    assert imported == worker
    assert server.log().count("imported basic in") == 3
    assert len(server.workers()) == 3


def test_the_master_has_no_python_in_it(start):
    server = start("http-socket = {http}\nmodule = basic")
    with open(f"/proc/{server.pid}/maps", encoding="utf-8") as f:
        maps = f.read()
    assert ".cpython-" not in maps


def test_two_threads_run_two_requests_at_once(start):
    server = start("http-socket = {http}\nmodule = basic\nprocesses = 1\nthreads = 2")
    with http.Connection(server.http) as a:
        a.send(http.request_bytes("/meet"))
        with http.Connection(server.http) as b:
            b.send(http.request_bytes("/meet"))
            assert (a.read().body, b.read().body) == (b"met", b"met")


def test_two_workers_run_two_requests_at_once(start):
    server = start("http-socket = {http}\nmodule = basic\nprocesses = 2")
    with Held(server) as one, Held(server) as other:
        assert sorted([one.pid, other.pid]) == server.workers()
        assert one.end().status == other.end().status == 200


@pytest.mark.parametrize("skip", [False, True])
def test_an_exit_handler_runs_when_the_server_ends(start, folder, skip):
    write(folder, "mine.py", "import atexit, os\natexit.register(lambda: print('left', "
          "flush=True))\n" + APP.format(body="x"))
    server = start(f"http-socket = {{http}}\nmodule = mine\nskip-atexit = {skip}", folder=folder)
    assert http.request(server.http).body == b"x"
    server.stop()
    server.wait_log("goodbye")
    assert ("\nleft" in server.log()) != skip


def test_fork_hooks_of_the_application_run_in_each_worker(start, folder):
    write(folder, "mine.py", "import os\nos.register_at_fork(after_in_child=lambda: "
          "print('child', os.getpid(), flush=True))\n" + APP.format(body="x"))
    server = start("http-socket = {http}\nmodule = mine\nprocesses = 2", folder=folder)
    for pid in server.workers():
        server.wait_log(f"^child {pid}$")


def test_env_is_seen_by_the_application(start, folder):
    write(folder, "mine.py", "import os\nbody = os.environ['GREETING'].encode()\n"
          "def application(e, s):\n s('200 OK', [])\n return [body]\n")
    server = start("http-socket = {http}\nmodule = mine\nenv = GREETING=good = day\n"
                   "env = OTHER=1", folder=folder)
    assert http.request(server.http).body == b"good = day"


# ---- virtual environments ----

@pytest.fixture(scope="module")
def venv(tmp_path_factory):
    path = tmp_path_factory.mktemp("venv") / "v"
    # Of the Python that the server was built for.
    python = os.environ.get("UWSGI_PYTHON", "/usr/bin/python3")
    subprocess.run([python, "-m", "venv", "--without-pip", path], check=True)
    site = next(path.glob("lib/python3*/site-packages"))
    (site / "only_in_venv.py").write_text(APP.format(body="from the venv"))
    return path


@pytest.mark.parametrize("option", ["home", "virtualenv", "venv"])
def test_a_virtual_environment_is_used(start, venv, option):
    server = start(f"http-socket = {{http}}\nmodule = only_in_venv\n{option} = {venv}")
    assert http.request(server.http).body == b"from the venv"


def test_a_virtual_environment_on_the_command_line(start, venv):
    server = start("http-socket = {http}", args=["-H", str(venv), "-w", "only_in_venv"])
    assert http.request(server.http).body == b"from the venv"


def test_a_missing_virtual_environment_is_a_clear_error(start):
    server = start.not_yet("http-socket = {http}\nmodule = basic\nhome = {here}/nowhere")
    assert server.run() not in (0, None)
    server.wait_log("nowhere")


def test_a_virtual_environment_of_another_python_is_a_clear_error(start, folder):
    write(folder, "v/pyvenv.cfg", "home = /usr/bin\nversion = 3.5.1\n")
    os.makedirs(f"{folder}/v/lib/python3.5/site-packages")
    server = start.not_yet("http-socket = {http}\nmodule = basic\nhome = {here}/v", folder=folder)
    assert server.run() not in (0, None)
    server.wait_log(r"3\.5")
    server.wait_log(r"3\.(8|9|1\d)")


def test_a_virtual_environment_of_another_build_of_this_python_is_doubted(start, venv, folder):
    """What pyenv, or an image with a Python of its own, has beside the system's."""
    cfg = (venv / "pyvenv.cfg").read_text()
    base = re.search("^home = (.*)$", cfg, re.M)[1]
    python = next((venv / "lib").iterdir()).name
    write(folder, "v/pyvenv.cfg", cfg.replace(base, f"{folder}/other/bin"))
    write(folder, f"other/bin/{python}", "")
    os.symlink(os.path.join(os.path.dirname(base), "lib"), f"{folder}/other/lib")
    os.makedirs(f"{folder}/v/bin")
    for name in ("lib", "bin/python3"):
        os.symlink(venv / name, f"{folder}/v/{name}")
    ini = "http-socket = {{http}}\nmodule = only_in_venv\nhome = {}\n"
    server = start(ini.format(f"{folder}/v"))
    server.wait_log(f"warning: home = {folder}/v was made with {folder}/other/bin/{python}, and this "
                    f"server runs the Python of /.*/{python}: .* make it anew with /.*/{python} -m venv")
    assert http.request(server.http).body == b"from the venv"
    assert "was made with" not in start(ini.format(venv)).log()


@pytest.mark.parametrize("line, header", [("", False), ("catch-exceptions = true", True)])
def test_catch_exceptions_shows_the_traceback_to_the_client(start, line, header):
    server = start("http-socket = {http}\nmodule = pep\n" + line)
    response = http.request(server.http, "/raises")
    assert response.status == 500
    assert (b"on purpose" in response.body) == header
