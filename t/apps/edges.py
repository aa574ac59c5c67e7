# SPDX-License-Identifier: MIT
"""Applications at the edges of PEP 3333; the path names one."""
import gzip
import io
import json
import os
import sys
import tempfile
import threading

import uwsgi

PLAIN = [("Content-Type", "text/plain")]
kept = {}
released = threading.Event()


class Closing:
    def __init__(self, items, close):
        self.items, self.close = items, close

    def __iter__(self):
        return iter(self.items)


def tried(call, *args):
    try:
        call(*args)
    except Exception as e:
        return f"{type(e).__name__}: {e}"
    return "nothing raised"


def write_for_ever(environ, start_response):
    write = start_response("200 OK", PLAIN)
    try:
        while True:
            write(b"x" * 65536)
    finally:
        print("writer ended", flush=True)


def write_in_close(environ, start_response):
    write = start_response("200 OK", PLAIN)
    return Closing([b"body"], lambda: print("in close:", tried(write, b"late"), flush=True))


class WritesWhenFreed:
    def __init__(self, write):
        self.write = write

    def __del__(self):
        print("in __del__:", tried(self.write, b"late"), flush=True)


def write_in_del(environ, start_response):
    environ["held"] = WritesWhenFreed(start_response("200 OK", PLAIN))
    return [b"body"]


def waits_in_close(environ, start_response):
    start_response("200 OK", PLAIN)

    def close():
        print("close began", flush=True)
        print("released" if released.wait(10) else "never released", flush=True)
    return Closing([b"body"], close)


def release(environ, start_response):
    released.set()
    start_response("200 OK", PLAIN)
    return [b"released"]


def keep(environ, start_response):
    kept.update(write=start_response("200 OK", PLAIN), start=start_response,
                input=environ["wsgi.input"])
    return [b"kept"]


def use_kept(environ, start_response):
    body = kept["input"]
    found = [body.read(), body.readline(), list(body), tried(kept["start"], "200 OK", PLAIN),
             tried(kept["write"], b"x")]
    start_response("200 OK", PLAIN)
    return [repr(found).encode()]


def keep_one(environ, start_response):
    """?write or ?start"""
    write = start_response("200 OK", PLAIN)
    kept["one"] = write if environ["QUERY_STRING"] == "write" else start_response
    return [b"kept"]


def use_one(environ, start_response):
    start_response("200 OK", PLAIN)
    arguments = ["200 OK", PLAIN] if environ["QUERY_STRING"] == "start" else [b"x"]
    return [tried(kept.pop("one"), *arguments).encode()]


def gzip_file(environ, start_response):
    path = tempfile.mkstemp()[1]
    with gzip.open(path, "wb") as f:
        f.write(b"plain text")
    file = gzip.open(path)
    os.unlink(path)
    start_response("200 OK", PLAIN)
    return environ["wsgi.file_wrapper"](file)


def unwritten_file(environ, start_response):
    """Bytes that are still in the file object's buffer."""
    file = tempfile.TemporaryFile()
    file.write(b"0123456789")
    file.seek(2)
    file.write(b"ab")
    start_response("200 OK", PLAIN)
    return environ["wsgi.file_wrapper"](file)


def file_of_proc(environ, start_response):
    """A regular file whose size is said to be 0."""
    start_response("200 OK", PLAIN)
    return environ["wsgi.file_wrapper"](open("/proc/self/cmdline", "rb"))


def closed_file(environ, start_response):
    file = open(__file__, "rb")
    file.close()
    start_response("200 OK", PLAIN)
    return environ["wsgi.file_wrapper"](file)


def text_file(environ, start_response):
    start_response("200 OK", PLAIN)
    return environ["wsgi.file_wrapper"](io.StringIO("text"))


def bad_header_swallowed(environ, start_response):
    tried(start_response, "200 OK", [*PLAIN, ("X-Bad", "a\nb")])
    return [b"should not be seen"]


def bad_replacement_swallowed(environ, start_response):
    start_response("200 OK", [*PLAIN, ("X-First", "1")])
    try:
        raise ValueError
    except ValueError:
        tried(start_response, "500 Sorry", [("X-Second", 2)], sys.exc_info())
    return [b"should not be seen"]


def exc_info_of_garbage(environ, start_response):
    write = start_response("200 OK", PLAIN)
    write(b"sent ")
    return [tried(start_response, "500 Sorry", PLAIN, ("a", "b", "c")).encode()]


def exc_info_by_name(environ, start_response):
    start_response("200 OK", PLAIN, exc_info=None)
    return [b"body"]


def list_iterator(environ, start_response):
    start_response("200 OK", PLAIN)
    return iter([b"one", b"two"])


def by_index(environ, start_response):
    class Sequence:
        def __getitem__(self, i):
            return [b"one", b"two"][i]
    start_response("200 OK", PLAIN)
    return Sequence()


def buffers(environ, start_response):
    start_response("200 OK", PLAIN)
    return [bytearray(b"one"), memoryview(b"two"), b""]


def known_length(environ, start_response):
    start_response("200 OK", [*PLAIN, ("Content-Length", "6")])
    return [b"onetwo"]


def many_blocks(environ, start_response):
    start_response("200 OK", PLAIN)
    return [b"0123456789" * 100] * 3000


def coroutine(environ, start_response):
    start_response("200 OK", PLAIN)

    async def body():
        pass
    returned = body()
    returned.close()
    return returned


def interim_status(environ, start_response):
    start_response("101 Switching Protocols", PLAIN)
    return []


def surrogate(environ, start_response):
    raise ValueError("\udc80 in it")


def empty_first(environ, start_response):
    """Changes its mind after an empty block of the kind that the query names."""
    empty = {"bytes": b"", "bytearray": bytearray(), "memoryview": memoryview(b"")}
    start_response("200 OK", PLAIN)
    yield empty[environ["QUERY_STRING"]]
    try:
        raise ValueError
    except ValueError:
        start_response("500 Changed", PLAIN, sys.exc_info())
    yield b"changed"


def write_in_thread(environ, start_response):
    said = []
    write = start_response("200 OK", PLAIN)
    thread = threading.Thread(target=lambda: said.append(tried(write, b"from elsewhere")))
    thread.start()
    thread.join()
    return [said[0].encode()]


def chunked_read(environ, start_response):
    sizes = [len(environ["wsgi.input"].read(10))]
    while block := uwsgi.chunked_read(5):
        sizes.append(len(block))
    sizes.append(len(uwsgi.chunked_read_nb()))
    start_response("200 OK", PLAIN)
    return [repr(sizes).encode()]


def chunked_read_in_thread(environ, start_response):
    said = []
    thread = threading.Thread(target=lambda: said.append(tried(uwsgi.chunked_read)))
    thread.start()
    thread.join()
    start_response("200 OK", PLAIN)
    return [said[0].encode()]


def large_file(environ, start_response):
    file = tempfile.TemporaryFile()
    file.truncate(20_000_000)
    start_response("200 OK", PLAIN)
    return environ["wsgi.file_wrapper"](file)


def beside_a_subinterpreter(environ, start_response):
    """The same in a process that has made a subinterpreter."""
    for name in ("_interpreters", "_xxsubinterpreters"):
        try:
            __import__(name).create()
            break
        except ImportError:
            pass
    return large_file(environ, start_response)


def same_names(environ, start_response):
    """Which names are the very strings of the call before, and which are those of literals."""
    names = [n for n in environ if n.startswith("HTTP_X_")]
    again = [n for n in names if kept.get(n) is n]
    kept.update({n: n for n in names})
    literal = [n for n in environ if n is sys.intern(n[:1] + n[1:])]
    start_response("200 OK", PLAIN)
    return [json.dumps({"again": again, "literal": literal}).encode()]


def types(environ, start_response):
    """Of the server's objects: whether made on the heap, who may make one, who may change them, and
    how many hold them."""
    given = {"input": type(environ["wsgi.input"]), "start_response": type(start_response),
             "file_wrapper": environ["wsgi.file_wrapper"]}
    heap_type = 1 << 9
    said = {name: [bool(t.__flags__ & heap_type), tried(t), tried(setattr, t, "x", 1),
                   sys.getrefcount(t)] for name, t in given.items()}
    start_response("200 OK", PLAIN)
    return given["file_wrapper"](io.BytesIO(json.dumps(said).encode()))


def in_a_subinterpreter(environ, start_response):
    """The module there is another one than here."""
    read, write = os.pipe()
    code = ("import os, uwsgi\nuwsgi.version = b'changed'\n"
            f"os.write({write}, b'%d' % id(uwsgi.opt))\n")
    with_gil = {"_interpreters": ("legacy",), "_xxsubinterpreters": ()}
    for name, arguments in with_gil.items():
        try:
            module = __import__(name)
        except ImportError:
            continue
        how = {"isolated": False} if sys.version_info[:2] in ((3, 10), (3, 11), (3, 12)) else {}
        module.run_string(module.create(*arguments, **how), code)
        break
    start_response("200 OK", PLAIN)
    os.close(write)
    other = int(os.read(read, 100))
    os.close(read)
    return [f"{other == id(uwsgi.opt)} {uwsgi.version == b'changed'}".encode()]


def application(environ, start_response):
    return globals()[environ["PATH_INFO"].strip("/")](environ, start_response)
