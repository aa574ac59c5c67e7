# SPDX-License-Identifier: MIT
"""The plan of the house, read from sources and objects: a file knows only what stands above it in
the Makefile's lists, plugins know plugin.h and nothing else, names do not leak, state is nobody's
global."""
import glob
import os
import re
import subprocess

import pytest

from lib.server import COMMAND, ROOT

LAYERS = ["BASE", "SETTINGS", "EXCHANGE", "WIRE", "WORK", "PROCESS", "ENTRY"]
OBJECTS = os.path.join(ROOT, os.environ.get("UWSGI_OBJECTS", "build/default"))

# Mutable state of file scope, with its reason.  Everything else belongs to an object.
ALLOWED_STATE = {
    "core/log.o": "where the log goes; the crash path must not need a pointer",
    "core/stray.o": "what a fork means in this process; pthread_atfork() takes no pointer",
    "core/title.o": "where the kernel keeps the process title",
    "core/worker.o": "whom a signal is for; a handler gets no pointer",
    "plugins/python/": "CPython's static types and module definitions, and its interpreter",
}
CORE_HEADERS_FOR_PLUGINS = {"plugin.h"}
GATEWAY_FILES = {"router", "tunnel"}     # of plugins, with connections of their own
LIBEV_FILES = {"backend", "connection", "watch", "touch", "logpipe"}  # others get it with their headers


def layer_of_files():
    """{noun: number of its layer}; main, which links them all, is the last."""
    with open(f"{ROOT}/Makefile", encoding="utf-8") as f:
        text = f.read().replace("\\\n", " ")
    layers = {}
    for number, name in enumerate(LAYERS):
        found = re.search(rf"^{name}\s*:=\s*(.*)$", text, re.M)
        assert found, f"the Makefile has no list {name}"
        layers.update({noun: number for noun in found[1].split()})
    return {**layers, "main": len(LAYERS)}


def includes(path):
    with open(path, encoding="utf-8") as f:
        return re.findall(r'^\s*#\s*include\s+"([^"]+)"', f.read(), re.M)


def sources(pattern):
    return sorted(os.path.relpath(p, ROOT) for p in glob.glob(f"{ROOT}/{pattern}"))


def noun(path):
    return os.path.splitext(os.path.basename(path))[0]


def test_every_source_of_the_core_has_its_place_in_the_makefile():
    layers = layer_of_files()
    missing = [p for p in sources("core/*.c") if noun(p) not in layers]
    assert not missing


@pytest.mark.parametrize("path", sources("core/*.[ch]"))
def test_no_arrow_points_up(path):
    """A file includes nothing of a higher layer.  A header without a source, which only says
    types, has the layer of the lowest file that needs it."""
    layers = layer_of_files()
    if noun(path) not in layers:
        return
    for name in includes(f"{ROOT}/{path}"):
        assert not name.startswith(("../", "plugins/")), f"{path} includes {name}"
        if noun(name) in layers:
            assert layers[noun(name)] <= layers[noun(path)], \
                f"{path} ({LAYERS[layers[noun(path)]]}) includes {name}, which stands higher"


@pytest.mark.parametrize("path", sources("core/*.[ch]"))
def test_the_core_includes_nothing_of_a_plugin(path):
    own = {os.path.basename(p) for p in sources("core/*.h")}
    assert not [n for n in includes(f"{ROOT}/{path}") if n not in own]


@pytest.mark.parametrize("path", sources("plugins/*/*.[ch]"))
def test_a_plugin_includes_only_plugin_h_and_its_own(path):
    own = set(os.listdir(os.path.dirname(f"{ROOT}/{path}")))
    for name in includes(f"{ROOT}/{path}"):
        assert name in own or name in CORE_HEADERS_FOR_PLUGINS, f"{path} includes {name}"


@pytest.mark.parametrize("path", sources("plugins/*/*.[ch]"))
def test_a_protocol_plugin_knows_no_descriptor_loop_clock_or_python(path):
    if path.startswith("plugins/python/") or noun(path) in GATEWAY_FILES:
        return
    with open(f"{ROOT}/{path}", encoding="utf-8") as f:
        found = re.findall(r"#\s*include\s+<(ev|Python|sys/socket|sys/epoll|poll|time|sys/time|"
                           r"pthread|unistd)\.h>", f.read())
    assert not found


@pytest.mark.parametrize("path", sources("core/*.[ch]"))
def test_only_the_shell_knows_libev(path):
    with open(f"{ROOT}/{path}", encoding="utf-8") as f:
        if re.search(r"#\s*include\s+<ev\.h>", f.read()):
            assert noun(path) in LIBEV_FILES


@pytest.mark.parametrize("path", sources("core/*.[ch]") + sources("plugins/*/*.[ch]"))
def test_every_source_begins_with_its_licence_and_its_noun(path):
    with open(f"{ROOT}/{path}", encoding="utf-8") as f:
        lines = f.read().split("\n")
    assert lines[0] == "/* SPDX-License-Identifier: MIT */"
    assert lines[1].startswith(f"/* {os.path.basename(path)}: ")


def symbols(path, *flags):
    if not os.path.exists(path):
        pytest.skip(f"{os.path.relpath(path, ROOT)} is not built")
    out = subprocess.run(["nm", *flags, path], capture_output=True, text=True, check=True).stdout
    return [line.split()[-2:] for line in out.splitlines() if len(line.split()) >= 2]


def test_the_binary_exports_only_names_of_its_own():
    """Any other exported name could replace one inside a Python extension module."""
    if os.environ.get("UWSGI_SANITIZED"):
        pytest.skip("sanitizers export names of their own")
    exported = [name for kind, name in symbols(COMMAND[0], "-D", "--defined-only")]
    # Variables of shared libraries that the linker copies into the program.
    exported = [n for n in exported if not re.match(
        r"_*(environ|stdout|stderr|stdin|progname|optarg|optind|ini_\w+)(@|$)", n)]
    assert exported
    assert [n for n in exported if not n.startswith("uwsgi_")] == []


@pytest.mark.parametrize("path", sources("plugins/*/*_plugin.so"))
def test_a_plugin_exports_one_name(path):
    exported = [name for kind, name in symbols(f"{ROOT}/{path}", "-D", "--defined-only")]
    assert [n for n in exported if not n.startswith(("__asan", "__ubsan", "__odr"))] == \
        ["uwsgi_plugin"]


def objects():
    return sorted(os.path.relpath(p, OBJECTS) for p in
                  glob.glob(f"{OBJECTS}/core/*.o") + glob.glob(f"{OBJECTS}/plugins/*/*.o"))


@pytest.mark.parametrize("path", objects())
def test_no_mutable_state_of_file_scope(path):
    """Tables are const, and their relocations are read-only data; .data and .bss stay empty but
    for what is allowed by name above."""
    if any(path.startswith(allowed) for allowed in ALLOWED_STATE):
        return
    source = os.path.join(ROOT, path[:-2] + ".c")
    if not os.path.exists(source):
        pytest.skip("the object of a source that is gone")
    mutable = [name for kind, name in symbols(os.path.join(OBJECTS, path)) if kind in "dDbBC"
               and not name.startswith((".", "__odr", "__asan", "completed"))]
    # const tables with pointers lie in .data.rel.ro, which nm shows as d too.
    sections = subprocess.run(["objdump", "-t", os.path.join(OBJECTS, path)], capture_output=True,
                              text=True, check=True).stdout
    read_only = {line.split()[-1] for line in sections.splitlines() if ".data.rel.ro" in line}
    assert [n for n in mutable if n not in read_only] == []
