# SPDX-License-Identifier: MIT
"""Applications that fork; the path names one.  The answer is the child's exit code."""
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time

gate = threading.Barrier(3, timeout=10)
PLAIN = [("Content-Type", "text/plain")]


def answer(start_response, what):
    body = str(what).encode()
    start_response("200 OK", [*PLAIN, ("Content-Length", str(len(body)))])
    return [body]


def code_of(pid):
    """0 to 255, or minus a signal."""
    status = os.waitpid(pid, 0)[1]
    return -os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)


def leave_by(how):
    """What the child does instead of os._exit()."""
    if how == "sys.exit":
        sys.exit(5)
    if how == "sys.exit()":
        sys.exit()
    if how == "words":
        sys.exit("these words")
    if how == "raise":
        raise KeyError("in the child")
    if how == "_exit":
        os._exit(7)
    if how == "kill":
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(30)
    print("the child returns", end="")


def in_view(environ, start_response):
    pid = os.fork()
    if pid == 0:
        leave_by(environ["QUERY_STRING"])
        return answer(start_response, "of the child")
    return answer(start_response, code_of(pid))


def in_iterable(environ, start_response):
    start_response("200 OK", PLAIN)
    yield b"begun "
    pid = os.fork()
    if pid == 0:
        leave_by(environ["QUERY_STRING"])
        yield b"of the child"
        return
    yield str(code_of(pid)).encode()


def in_close(environ, start_response):
    class Body(list):
        def close(self):
            pid = os.fork()
            if pid == 0:
                leave_by(environ["QUERY_STRING"])
                return
            sys.stdout.write(f"child of close(): {code_of(pid)}\n")  # at once, unlike print()
    start_response("200 OK", PLAIN)
    return Body([b"closed"])


def in_thread(environ, start_response):
    said = []

    def run():
        pid = os.fork()
        if pid:
            said.append(code_of(pid))
        else:
            leave_by(environ["QUERY_STRING"])
    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    return answer(start_response, said[0])


def child_writes(environ, start_response):
    write = start_response("200 OK", PLAIN)
    pid = os.fork()
    if pid == 0:
        write(b"of the child" * 10000)
        os._exit(0)
    code = code_of(pid)
    write(str(code).encode())
    return []


def square(x):
    return x * x


def pool(environ, start_response):
    with multiprocessing.get_context(environ["QUERY_STRING"]).Pool(2) as workers:
        return answer(start_response, workers.map(square, range(4)))


def terminate(environ, start_response):
    child = multiprocessing.get_context("fork").Process(target=time.sleep, args=(60,))
    child.start()
    child.terminate()
    child.join()
    return answer(start_response, child.exitcode)


def program(environ, start_response):
    """preexec_fn makes subprocess fork where it would not."""
    before = print if environ["QUERY_STRING"] else None
    child = subprocess.Popen(["/bin/sleep", "60"], preexec_fn=before)
    child.terminate()
    return answer(start_response, child.wait())


def program_at_once(environ, start_response):
    """The same in each of three threads."""
    gate.wait()
    return program(environ, start_response)


def stays(environ, start_response):
    """A child that goes on: with ?exec as another program."""
    pid = os.fork()
    if pid == 0:
        if environ["QUERY_STRING"] == "exec":
            os.execv("/bin/sleep", ["sleep", "600"])
        while True:
            time.sleep(600)
    return answer(start_response, pid)


def handles(environ, start_response):
    """?n: what the child does at that signal."""
    pid = os.fork()
    if pid == 0:
        os.kill(os.getpid(), int(environ["QUERY_STRING"]))
        time.sleep(30)
        os._exit(0)
    return answer(start_response, code_of(pid))


def files(environ, start_response):
    """Those of a child."""
    readable, writable = os.pipe()
    pid = os.fork()
    if pid == 0:
        names = [os.readlink(f"/proc/self/fd/{fd}") for fd in os.listdir("/proc/self/fd")
                 if os.path.exists(f"/proc/self/fd/{fd}")]
        os.write(writable, "\n".join(names).encode())
        os._exit(0)
    code_of(pid)
    return answer(start_response, os.read(readable, 100000).decode())


def pid(environ, start_response):
    return answer(start_response, os.getpid())


def application(environ, start_response):
    return globals()[environ["PATH_INFO"].strip("/")](environ, start_response)
