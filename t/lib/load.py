# SPDX-License-Identifier: MIT
"""Constant load: clients that ask without a pause and write down every request that got no
whole answer."""
import threading
import time

from lib import http
from lib.wait import until


class Load:
    """keep_alive: each client stays on one connection until the server ends it.  A request on a
    connection that has served before may be sent again when the server closed it without one
    byte of an answer: every HTTP client does that (RFC 9110, section 9.2.2).  body: what is
    posted; None: they ask with GET."""

    def __init__(self, address, clients=3, keep_alive=False, target="/pid", pause_s=0, body=None):
        self.address, self.keep_alive, self.target = address, keep_alive, target
        self.pause_s, self.body = pause_s, body
        self.answers, self.failures, self.again = 0, [], 0
        self.bodies = set()
        self._ending, self._lock = threading.Event(), threading.Lock()
        self._threads = [threading.Thread(target=self._run, daemon=True) for _ in range(clients)]

    def __enter__(self):
        for t in self._threads:
            t.start()
        try:
            self.wait_more(1)
        except BaseException:
            self._ending.set()      # nobody asks on behind a test that has failed
            raise
        return self

    def __exit__(self, *_):
        self._ending.set()
        for t in self._threads:
            t.join(20)
            assert not t.is_alive(), "a client still waits for its answer"

    def wait_more(self, count, seconds=20):
        goal = self.answers + count
        until(lambda: self.answers >= goal or self.failures, f"{count} more answers", seconds)

    def _run(self):
        connection, used = None, False
        while not self._ending.is_set():
            try:
                if not connection:
                    connection, used = http.Connection(self.address), False
                headers = [] if self.keep_alive else [("Connection", "close")]
                response = connection.request(self.target, "GET" if self.body is None else "POST",
                                              headers, self.body or b"")
                self._judge(response)
                used = True
                if not self.keep_alive or (response.header("Connection") or "").lower() == "close":
                    connection.close()
                    connection = None
            except (http.Closed, BrokenPipeError, ConnectionResetError) as e:
                if connection and used:
                    with self._lock:
                        self.again += 1
                else:
                    self.failures.append(repr(e))
                if connection:
                    connection.close()
                connection = None
            except (OSError, AssertionError, ValueError) as e:
                self.failures.append(repr(e))
                connection = None
            if self.pause_s:
                time.sleep(self.pause_s)
        if connection:
            connection.close()

    def _judge(self, response):
        if response.status == 200 and response.complete:
            with self._lock:
                self.answers += 1
                self.bodies.add(response.body)
        else:
            self.failures.append(repr(response))
