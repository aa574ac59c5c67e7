# SPDX-License-Identifier: MIT
"""Applications that use, or misuse, every part of PEP 3333; the path names one."""
import io
import json
import sys
import tempfile
import threading

PLAIN = [("Content-Type", "text/plain")]


class Closing:
    """An iterable that says when it was closed."""

    def __init__(self, name, items, fail_at=None):
        self.name, self.items, self.fail_at = name, iter(items), fail_at
        self.given = 0

    def __iter__(self):
        return self

    def __next__(self):
        if self.given == self.fail_at:
            raise RuntimeError(f"{self.name} broke off")
        self.given += 1
        return next(self.items)

    def close(self):
        print(f"closed {self.name}", file=sys.stderr, flush=True)


def list_of_two(environ, start_response):
    start_response("200 OK", PLAIN)
    return [b"one", b"two"]


def generator(environ, start_response):
    start_response("200 OK", PLAIN)
    yield b"one"
    yield b""
    yield b"two"


def late_start(environ, start_response):
    """A generator calls start_response only when it is first asked."""
    start_response("201 Created", PLAIN)
    yield b"made"


def tuple_of_one(environ, start_response):
    start_response("200 OK", PLAIN)
    return (b"tuple",)


def bare_bytes(environ, start_response):
    start_response("200 OK", PLAIN)
    return b"bare bytes"


def empty_list(environ, start_response):
    start_response("200 OK", PLAIN)
    return []


def own_length(environ, start_response):
    start_response("200 OK", [*PLAIN, ("Content-Length", "6")])
    return [b"one", b"two"]


def too_long(environ, start_response):
    """Says 3 and gives 6."""
    start_response("200 OK", [*PLAIN, ("Content-Length", "3")])
    return [b"one", b"two"]


def too_short(environ, start_response):
    """Says 10 and gives 3."""
    start_response("200 OK", [*PLAIN, ("Content-Length", "10")])
    return [b"one"]


def write(environ, start_response):
    say = start_response("200 OK", PLAIN)
    say(b"one ")
    say(b"two ")
    return [b"three"]


def exc_info_before(environ, start_response):
    """Headers not sent yet: the second call replaces the first."""
    start_response("200 OK", [*PLAIN, ("X-First", "1")])
    try:
        raise ValueError("second thoughts")
    except ValueError:
        start_response("500 Second Thoughts", [*PLAIN, ("X-Second", "2")], sys.exc_info())
    return [b"replaced"]


def exc_info_after(environ, start_response):
    """Headers sent: start_response raises what it was given."""
    say = start_response("200 OK", PLAIN)
    say(b"sent ")
    try:
        raise ValueError("too late")
    except ValueError:
        try:
            start_response("500 Too Late", PLAIN, sys.exc_info())
        except ValueError as e:
            return [f"raised {e}".encode()]
    return [b"not raised"]


def start_twice(environ, start_response):
    start_response("200 OK", PLAIN)
    try:
        start_response("201 Created", PLAIN)
    except Exception as e:
        return [type(e).__name__.encode()]
    return [b"nothing raised"]


def closing(environ, start_response):
    start_response("200 OK", PLAIN)
    return Closing("closing", [b"one", b"two"])


def closing_no_body(environ, start_response):
    start_response("204 No Content", [])
    return Closing("closing_no_body", [])


def closing_raises(environ, start_response):
    start_response("200 OK", PLAIN)
    return Closing("closing_raises", [b"one", b"two"], fail_at=1)


def closing_raises_first(environ, start_response):
    start_response("200 OK", PLAIN)
    return Closing("closing_raises_first", [b"one"], fail_at=0)


def closing_endless(environ, start_response):
    def blocks():
        while True:
            yield b"x" * 65536
    start_response("200 OK", PLAIN)
    return Closing("closing_endless", blocks())


def closing_str(environ, start_response):
    start_response("200 OK", PLAIN)
    return Closing("closing_str", ["text"])


def str_item(environ, start_response):
    start_response("200 OK", PLAIN)
    return ["text"]


def returns_none(environ, start_response):
    start_response("200 OK", PLAIN)


def returns_number(environ, start_response):
    start_response("200 OK", PLAIN)
    return 5


def no_start(environ, start_response):
    return [b"headless"]


def raises(environ, start_response):
    raise KeyError("on purpose")


def raises_exit(environ, start_response):
    raise SystemExit("on purpose")


def raises_after_chunk(environ, start_response):
    start_response("200 OK", PLAIN)
    yield b"one"
    raise KeyError("after the first chunk")


def header(name, value):
    def application(environ, start_response):
        start_response("200 OK", [*PLAIN, (name, value)])
        return [b"should not be seen"]
    return application


def status_line(line):
    def application(environ, start_response):
        start_response(line, PLAIN)
        return [b"should not be seen"]
    return application


def headers_of(kind):
    def application(environ, start_response):
        start_response("200 OK", kind)
        return [b"should not be seen"]
    return application


def latin_header(environ, start_response):
    start_response("200 OK", [*PLAIN, ("X-Name", "caf\xe9")])
    return [b"ok"]


def file_wrapper(environ, start_response):
    f = tempfile.TemporaryFile()
    f.write(b"0123456789" * 20000)
    f.seek(10)
    start_response("200 OK", PLAIN)
    return environ["wsgi.file_wrapper"](f, 4096)


def file_wrapper_length(environ, start_response):
    f = tempfile.TemporaryFile()
    f.write(b"0123456789" * 20000)
    f.seek(10)
    start_response("200 OK", [*PLAIN, ("Content-Length", "20")])
    return environ["wsgi.file_wrapper"](f)


def file_wrapper_memory(environ, start_response):
    b = io.BytesIO(b"0123456789" * 2000)
    b.seek(5)
    start_response("200 OK", PLAIN)
    return environ["wsgi.file_wrapper"](b)


class NoisyFile(io.BytesIO):
    def close(self):
        print("closed noisy file", file=sys.stderr, flush=True)
        super().close()


def file_wrapper_closes(environ, start_response):
    start_response("200 OK", PLAIN)
    return environ["wsgi.file_wrapper"](NoisyFile(b"noisy"))


def file_wrapper_iterated(environ, start_response):
    """Middleware may iterate the wrapper itself."""
    start_response("200 OK", PLAIN)
    return [b"".join(environ["wsgi.file_wrapper"](io.BytesIO(b"iterated"), 3))]


def input_ways(environ, start_response):
    """Reads the body in a way that the query names; says what each call returned."""
    body = environ["wsgi.input"]
    way = environ["QUERY_STRING"]
    if way == "read":
        got = [body.read(), body.read(), body.read(5)]
    elif way == "read-minus":
        got = [body.read(-1), body.read(-1)]
    elif way == "read-none":
        got = [body.read(None)]
    elif way == "read-sizes":
        got = [body.read(1), body.read(0), body.read(3), body.read(10 ** 9), body.read(1)]
    elif way == "readline":
        got = []
        while not got or got[-1]:
            got.append(body.readline())
    elif way == "readline-size":
        got = [body.readline(2), body.readline(100), body.readline(0), body.readline(-1)]
    elif way == "readlines":
        got = list(body.readlines()) + [body.read()]
    elif way == "readlines-hint":
        got = list(body.readlines(3)) + [body.read()]
    elif way == "iterate":
        got = list(body)
    elif way == "mixed":
        got = [body.readline(), body.read(2), next(iter(body)), *body.readlines()]
    start_response("200 OK", PLAIN)
    return [json.dumps([g.decode("latin-1") for g in got]).encode()]


def errors(environ, start_response):
    e = environ["wsgi.errors"]
    e.write("said to wsgi.errors\n")
    e.writelines(["line one\n", "line two\n"])
    e.flush()
    start_response("200 OK", PLAIN)
    return [b"said"]


def other_thread(environ, start_response):
    """Python threads that the application starts run."""
    found = []
    t = threading.Thread(target=lambda: found.append(b"ran"))
    t.start()
    t.join()
    start_response("200 OK", PLAIN)
    return found


def uwsgi_module(environ, start_response):
    import uwsgi
    start_response("200 OK", PLAIN)
    return [json.dumps({
        "version": uwsgi.version.decode(), "numproc": uwsgi.numproc,
        "worker_id": uwsgi.worker_id(), "masterpid": uwsgi.masterpid(),
        "opt": {k: v.decode() if isinstance(v, bytes) else v for k, v in uwsgi.opt.items()},
    }).encode()]


def uwsgi_log(environ, start_response):
    import uwsgi
    uwsgi.log("said through uwsgi.log")
    start_response("200 OK", PLAIN)
    return [b"said"]


def uwsgi_reload(environ, start_response):
    import uwsgi
    uwsgi.reload()
    start_response("200 OK", PLAIN)
    return [b"asked"]


ROUTES = {
    "cr": header("X-Bad", "a\rb"), "lf": header("X-Bad", "a\nSet-Cookie: b"),
    "nul": header("X-Bad", "a\0b"), "name-lf": header("X\nBad", "a"),
    "name-colon": header("X:Bad", "a"), "name-empty": header("", "a"),
    "value-bytes": header("X-Bad", b"a"), "value-int": header("X-Bad", 5),
    "value-wide": header("X-Bad", "\u20ac"),
    "status-lf": status_line("200 OK\r\nX: y"), "status-int": status_line(200),
    "status-word": status_line("OK"), "status-bytes": status_line(b"200 OK"),
    "headers-none": headers_of(None), "headers-text": headers_of("X: y"),
    "headers-short": headers_of([("X",)]),
}


def application(environ, start_response):
    name = environ["PATH_INFO"].strip("/")
    chosen = ROUTES.get(name) or globals()[name.replace("-", "_")]
    return chosen(environ, start_response)
