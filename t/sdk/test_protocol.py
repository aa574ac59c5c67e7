# SPDX-License-Identifier: MIT
"""A protocol that the server has never heard of: its plugin brings all that must be known of it."""
from lib.http import raw
from lib.server import command


def test_its_own_option_listens(start, plugin):
    server = start(f"plugin = {plugin('finger')}\nfinger-socket = {{finger}}\nmodule = basic\n")
    assert "finger-socket listens on" in server.log()
    assert raw(server.finger, b"hello\r\n") == b"hello\n"
    assert b'"PATH_INFO": "/nobody"' in raw(server.finger, b"nobody\r\n")
    assert raw(server.finger, b"one@two\r\n").startswith(b"403 ")


def test_protocol_names_it(start, plugin):
    server = start(f"plugin = {plugin('finger')}\nprotocol = finger\nsocket = {{finger}}\n"
                   "module = basic\n")
    assert raw(server.finger, b"hello\n") == b"hello\n"


def test_check_knows_its_sockets(plugin):
    words = ("--check", "--module", "basic", "--plugin", plugin("finger"), "--finger-socket", ":79")
    assert "nothing to listen on" not in command(*words).stderr
    said = command(*words, "--http-socket", ":79").stderr
    assert "http-socket has this address already" in said or "finger-socket has" in said
    assert "this is a UNIX socket of the name 79" in command(*words, "--finger-socket", "79").stderr
    assert "the port must be a number" in command(*words, "--finger-socket", "a:b:c").stderr


def test_protocol_must_be_that_of_a_loaded_plugin(plugin):
    said = command("--check", "--plugin", plugin("finger"), "--protocol", "gopher").stderr
    assert "protocol = gopher: must be one of: uwsgi, " in said and "finger" in said
