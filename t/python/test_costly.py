# SPDX-License-Identifier: MIT
"""reload-on-exception and its relatives: a worker is replaced after an exception."""
import pytest

from lib import http, proc

INI = "http-socket = {http}\nmodule = broken\nthreads = 2\n"


@pytest.mark.parametrize("option", [
    "reload-on-exception = true",
    "reload-on-exception-type = RuntimeError",
    "reload-on-exception-type = builtins.Exception",
    "reload-on-exception-value = no\nreload-on-exception-value = broke off",
    "reload-on-exception-repr = RuntimeError('broke off')",
])
def test_a_worker_is_replaced(start, option):
    server = start(f"{INI}{option}\n")
    first = server.workers()[0]
    assert http.request(server.http, "/").complete
    assert not http.request(server.http, "/raise?a").complete
    name = option.split(" ")[0]
    server.wait_log(rf"worker 1 \(pid {first}\) is replaced: GET /raise\?a raised RuntimeError "
                    rf"\({name}\)")
    proc.wait_gone(first)
    assert http.request(server.http, "/").complete


@pytest.mark.parametrize("option", [
    "reload-on-exception-type = ValueError", "reload-on-exception-value = broke",
    "reload-on-exception-repr = RuntimeError",
])
def test_others_do_not_count(start, option):
    server = start(f"{INI}{option}\n")
    first = server.workers()
    assert not http.request(server.http, "/raise").complete
    server.wait_log("RuntimeError: broke off")
    assert server.workers() == first
    assert "is replaced" not in server.log()


def test_a_young_worker_stays_until_it_is_old_enough(start):
    server = start.not_yet(INI + "reload-on-exception = true\nmin-worker-lifetime = 3\n")
    server.spawn()
    server.wait_listening("http")
    # They are there before the worker, which is young then, however busy the machine is.
    with http.Connection(server.http) as one, http.Connection(server.http) as other:
        for connection in (one, other):
            connection.send(http.request_bytes("/raise"))
        assert not one.read().complete and not other.read().complete
    first = server.wait_log(r"worker 1 \(pid (\d+)\) is replaced: it has asked to be, and "
                            "min-worker-lifetime is over")[1]
    proc.wait_gone(int(first))
    assert server.log().count("is replaced") == 1
