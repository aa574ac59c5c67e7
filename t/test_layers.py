# SPDX-License-Identifier: MIT
"""The plan of the house, read from folders and objects: a file of core/ knows its own folder and
those below it, plugins know <uwsgi/plugin.h> and nothing else, names do not leak, state is nobody's
global."""
import glob
import os
import re
import subprocess

import pytest

from lib.server import COMMAND, ROOT

LAYERS = ["base", "settings", "log", "exchange", "wire", "work", "process", "entry"]
OBJECTS = os.path.join(ROOT, os.environ.get("UWSGI_OBJECTS", "build/default"))

# Mutable state of file scope, with its reason.  Everything else belongs to an object.
ALLOWED_STATE = {
    "core/base/log.o": "where the log goes; the crash path must not need a pointer",
    "core/base/raise.o": "where alarms go, as with the log: any thread may raise one",
    "core/base/stray.o": "what a fork means in this process; pthread_atfork() takes no pointer",
    "core/process/proctitle.o": "where the kernel keeps the process title",
    "core/work/applications.o": "what is joined; an application's functions take no pointer",
    "core/work/worker.o": "whom a signal is for; a handler gets no pointer",
    "plugins/python/": "CPython's static types and module definitions, and its interpreter",
}
GATEWAY_FILES = {"router", "job", "answer", "tunnel"}     # of plugins, with connections of their own
# Folders in which some files still know one another.
CIRCLES = {"log", "process"}
LIBEV_FILES = {"backend", "wire", "watch", "touch", "logpipe"}  # others get it with their headers


def includes(path):
    """Names in quotes, and those of this project in angles."""
    with open(path, encoding="utf-8") as f:
        return re.findall(r'^\s*#\s*include\s+(?:"|<(?=uwsgi/))([^">]+)[">]', f.read(), re.M)


def sources(pattern):
    return sorted(os.path.relpath(p, ROOT) for p in glob.glob(f"{ROOT}/{pattern}"))


def noun(path):
    return os.path.splitext(os.path.basename(path))[0]


def test_the_makefile_has_the_same_layers():
    with open(f"{ROOT}/Makefile", encoding="utf-8") as f:
        found = re.search(r"^LAYERS\s*:=\s*(.*)$", f.read(), re.M)
    assert found[1].split() == LAYERS
    assert sorted(LAYERS) == sorted(os.listdir(f"{ROOT}/core"))


@pytest.mark.parametrize("path", sources("core/*/*.[ch]"))
def test_no_arrow_points_up(path):
    """A file includes its own folder and those below it, each name with its folder."""
    own = LAYERS.index(path.split("/")[1])
    for name in includes(f"{ROOT}/{path}"):
        if name == "uwsgi/plugin.h":
            continue
        assert os.path.exists(f"{ROOT}/core/{name}"), f"{path} includes {name}"
        assert LAYERS.index(name.split("/")[0]) <= own, f"{path} includes {name}, which is above it"


@pytest.mark.parametrize("layer", [name for name in LAYERS if name not in CIRCLES])
def test_no_two_files_of_a_folder_know_one_another(layer):
    """Nor in a circle of more.  A file is its header and its source together."""
    known = {}
    for path in sources(f"core/{layer}/*.[ch]"):
        known.setdefault(f"{layer}/{noun(path)}", set()).update(
            os.path.splitext(name)[0] for name in includes(f"{ROOT}/{path}"))
    for start in known:
        reached, ahead = set(), known[start] - {start}
        while ahead:
            name = ahead.pop()
            reached.add(name)
            ahead |= known.get(name, set()) - reached - {name}
        assert start not in reached, f"{start} knows somebody who knows it"


def taken_in(plugin):
    """Folders of other plugins whose sources this one takes in, as the Makefile says."""
    with open(f"{ROOT}/Makefile", encoding="utf-8") as f:
        found = re.search(rf"^{plugin}_also\s*:=(.*)$", f.read(), re.M)
    return re.findall(r"\b(\w+)/", found[1]) if found else []


@pytest.mark.parametrize("path", sources("plugins/*/*.[ch]"))
def test_a_plugin_includes_only_plugin_h_and_its_own(path):
    """And what it says that it takes in of others; an .inc is made of its own Python."""
    own = set(os.listdir(os.path.dirname(f"{ROOT}/{path}")))
    own |= {f"{noun(name)}.inc" for name in own if name.endswith(".py")}
    others = taken_in(path.split("/")[1])
    for name in includes(f"{ROOT}/{path}"):
        assert name in own or name == "uwsgi/plugin.h" or name.split("/")[0] in others, \
            f"{path} includes {name}"


@pytest.mark.parametrize("path", sources("plugins/*/*.[ch]"))
def test_a_protocol_plugin_knows_no_descriptor_loop_clock_or_python(path):
    if path.split("/")[1] in ("python", "static", "route", "gzip", "stats", "inspect", "metrics",
                              "otlp") or noun(path) in GATEWAY_FILES:
        return
    with open(f"{ROOT}/{path}", encoding="utf-8") as f:
        found = re.findall(r"#\s*include\s+<(ev|Python|sys/socket|sys/epoll|poll|time|sys/time|"
                           r"pthread|unistd)\.h>", f.read())
    assert not found


@pytest.mark.parametrize("path", sources("core/*/*.[ch]"))
def test_only_the_shell_knows_libev(path):
    with open(f"{ROOT}/{path}", encoding="utf-8") as f:
        if re.search(r"#\s*include\s+<ev\.h>", f.read()):
            assert noun(path) in LIBEV_FILES


@pytest.mark.parametrize("path", sources("core/*/*.[ch]") + sources("plugins/*/*.[ch]"))
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
        r"_*(environ|stdout|stderr|stdin|progname|optarg|optind|IO_stdin_used|ini_\w+)(@|$)", n)]
    assert exported
    assert [n for n in exported if not n.startswith("uwsgi_")] == []


@pytest.mark.parametrize("path", sources("plugins/*/*_plugin.so"))
def test_a_plugin_exports_one_name(path):
    exported = [name for kind, name in symbols(f"{ROOT}/{path}", "-D", "--defined-only")]
    assert [n for n in exported if not n.startswith(("__asan", "__ubsan", "__odr"))] == \
        ["uwsgi_plugin"]


def objects():
    return sorted(os.path.relpath(p, OBJECTS) for p in
                  glob.glob(f"{OBJECTS}/core/*/*.o") + glob.glob(f"{OBJECTS}/plugins/*/*.o"))


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
