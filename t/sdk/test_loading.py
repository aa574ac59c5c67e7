# SPDX-License-Identifier: MIT
"""What a plugin lacks is said when it is loaded, and by its name."""
import os
import subprocess

import pytest

from lib.http import raw
from lib.server import ROOT, command

PLUGIN = """
#include <uwsgi/plugin.h>
static enum parsed parse(void *s, struct request *r, struct slice i, size_t *u, struct sendbuf *o)
{ (void)s; (void)r; (void)i; (void)u; (void)o; return PARSE_MORE; }
static void head(void *s, const struct head *h, struct sendbuf *o) { (void)s; (void)h; (void)o; }
static void body(void *s, const struct piece *p, struct sendbuf *o) { (void)s; (void)p; (void)o; }
static enum ended end(void *s, bool c, struct sendbuf *o)
{ (void)s; (void)c; (void)o; return ENDED_CLOSE; }
static void handle(void *s, struct request *q, struct response *r) { (void)s; (void)q; (void)r; }
static bool changed(void *s, char *w, size_t n) { (void)s; (void)w; (void)n; return false; }
static const struct protocol protocol = { .name = "odd", .parse = parse, .head = head,
    .body = body, .end = end%s };
static const struct app app = { .name = "odd", .handle = handle%s };
static const struct option rows[] = { { .name = "odd", .type = OPT_LIST%s } };
static const struct option_table options = { .module = "odd", .size = 64, .rows = rows, .count = 1 };
UWSGI_API const struct plugin uwsgi_plugin = { .abi = UWSGI_ABI, .name = "odd",
    .protocol = &protocol, .app = &app, .options = &options%s };
static void *const used[] = { (void *)changed };
void *const *unused(void) { return used; }
"""
QUIET = ("-Wno-error", "-Wno-override-init", "-Wno-pedantic")


@pytest.mark.parametrize("place, more, said", [
    (0, ".parse = NULL", "plugin odd: protocol.parse is missing"),
    (0, ".end = NULL", "plugin odd: protocol.end is missing"),
    (0, ".state_size = 257", "plugin odd: protocol.state_size is 257, and at most 256 bytes"),
    (1, ".handle = NULL", "plugin odd: app.handle is missing"),
    (1, ".changed = changed", "plugin odd: of app.changed and app.interval_s one is missing"),
    (2, ".type = OPT_STRING, .listen = LISTEN_WORKERS",
     "plugin odd: option odd: listen is for OPT_LIST only"),
    (2, ".listen = LISTEN_SERVICE", "plugin odd: option odd listens, and the plugin has no service"),
    (2, ".listen = LISTEN_GATEWAY", "plugin odd: option odd listens, and the plugin has no gateway"),
    (3, ".name = NULL", "the plugin has no name"),
    (3, ".abi = 2", 'is plugin "odd" with ABI 2, this server needs ABI'),
])
def test_what_is_missing_is_named(plugin, place, more, said):
    parts = ["", "", "", ""]
    parts[place] = f", {more}"
    path = plugin("odd", PLUGIN % tuple(parts), QUIET)
    done = command("--check", "--plugin", path, "--http-socket", ":0", "--module", "basic")
    assert done.returncode == 1
    assert said in done.stderr


def test_a_plugin_is_found_by_its_name(start, plugin):
    folder = os.path.dirname(plugin("finger"))
    server = start(f"plugin-dir = {folder}\nplugin = finger\nfinger-socket = {{finger}}\n"
                   "module = basic\n")
    assert raw(server.finger, b"hello\r\n") == b"hello\n"


def test_what_pkg_config_says_is_what_the_server_needs(installed):
    assert os.path.exists(f"{installed('--variable=plugindir')[0]}/http_plugin.so")
    with open(f"{ROOT}/include/uwsgi/plugin.h", encoding="utf-8") as f:
        assert f"#define UWSGI_ABI {installed('--variable=abi')[0]}u\n" in f.read()


@pytest.mark.parametrize("language", ["-std=c11", "-std=gnu17", "-std=c11 -pedantic-errors"])
def test_the_header_needs_nothing_but_c11(sdk_folder, installed, language):
    with open(f"{sdk_folder}/alone.c", "w", encoding="ascii") as f:
        f.write("#include <uwsgi/plugin.h>\nint used;\n")
    subprocess.run(["cc", "-Wall", "-Wextra", "-Werror", *language.split(), *installed("--cflags"),
                    "-c", "alone.c"], cwd=sdk_folder, check=True, timeout=20)


def test_the_least_that_a_plugin_may_be_is_served(start, plugin):
    """Every member that may be NULL is NULL."""
    source = PLUGIN % ("", "", "", "")
    source = source.replace(
        "{ (void)s; (void)q; (void)r; }",
        '{ (void)s; (void)q; uwsgi_response_start(r, SLICE("204 No Content")); '
        "uwsgi_response_end(r); }")
    start(f"plugin = {plugin('odd', source, QUIET)}\nhttp-socket = {{http}}\nthreads = 2\n"
          "lazy-apps = true\n")
