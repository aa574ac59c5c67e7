# SPDX-License-Identifier: MIT
"""The archive of the sources, builds that are the same wherever they are made, and what is said
where a library is missing."""
import filecmp
import os
import subprocess
import tarfile

from lib.packages import BACKEND, PYTHON, call_backend, run
from lib.server import ROOT


def sdist(into, backend=BACKEND, **env):
    os.makedirs(into)
    return f"{into}/{call_backend(f'backend.build_sdist({into!r})', backend, env)}"


def test_the_archive_of_the_sources_has_them_all_and_nothing_else(folder):
    path = sdist(f"{folder}/one")
    with tarfile.open(path) as tar:
        top = os.path.basename(path)[:-len(".tar.gz")]
        names = {n[len(top) + 1:] for n in tar.getnames()}
        owners = {(m.uid, m.gid, m.uname, m.mtime) for m in tar.getmembers()}
    for name in ("PKG-INFO", "pyproject.toml", "Makefile", "VERSION", "LICENSE",
                 "core/entry/main.c", "include/uwsgi/plugin.h", "t/install/test_sources.py", "buildconf/pip/backend.py"):
        assert name in names
    assert not [n for n in names if n.startswith("build/") or n.endswith((".so", ".o", ".pyc"))]
    assert not names & {"uwsgi", "plugins/manifest"}
    assert len(owners) == 1


def test_an_archive_made_from_an_archive_is_the_same(folder):
    first = sdist(f"{folder}/one")
    os.mkdir(f"{folder}/unpacked")
    run("tar", "-x", "-f", first, "-C", f"{folder}/unpacked", "--strip-components", "1")
    second = sdist(f"{folder}/two", f"{folder}/unpacked/buildconf/pip")
    assert filecmp.cmp(first, second, shallow=False)


def test_two_builds_in_two_folders_are_the_same(folder):
    """Some of it; `make reproducible` compares all."""
    made = ["build/default/core/work/loader.o", "build/default/core/base/arena.o",
            "plugins/scgi/scgi_plugin.so"]
    places = [f"{folder}/a", f"{folder}/quite/another"]
    for place, zone in zip(places, ("UTC", "Asia/Tokyo")):
        call_backend(f"backend.copy_sources({place!r})")
        run("make", "-s", "-j2", *made, f"PYTHON={PYTHON}", cwd=place,
            env={**os.environ, "TZ": zone})
    for name in made:
        assert filecmp.cmp(f"{places[0]}/{name}", f"{places[1]}/{name}", shallow=False), name


def missing(compiler):
    return subprocess.run(["sh", f"{ROOT}/buildconf/dependencies.sh", "missing", PYTHON],
                          env={**os.environ, "CC": compiler}, capture_output=True, text=True,
                          timeout=20, check=False)


def test_where_nothing_is_missing_nothing_is_said():
    done = missing("cc")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_missing_library_is_named_with_its_package(folder):
    path = f"{folder}/no-libev"
    with open(path, "w", encoding="ascii") as f:
        f.write('#!/bin/sh\ngrep -q "ev.h" && exit 1\nexit 0\n')
    os.chmod(path, 0o755)
    done = missing(path)
    assert done.returncode == 1
    assert "this is missing: libev\n" in done.stderr
    assert "apt-get install libev-dev\n" in done.stderr


def test_every_package_that_a_build_needs_is_looked_for(folder):
    """This compiler finds no header at all; the tools are there."""
    path = f"{folder}/blind"
    with open(path, "w", encoding="ascii") as f:
        f.write("#!/bin/sh\nexit 1\n")
    os.chmod(path, 0o755)
    said = missing(path).stderr.split("apt-get install ")[1].split("\n")[0].split()
    with open(f"{ROOT}/buildconf/dependencies.sh", encoding="utf-8") as f:
        build = f.read().split('build="', 1)[1].split('"', 1)[0].split()
    assert sorted([*said, "gcc", "make", "pkg-config"]) == sorted(build)


def test_without_a_compiler_all_packages_are_named():
    done = missing("no-such-compiler")
    assert done.returncode == 1
    assert "a C compiler" in done.stderr
    assert "libcap-dev" in done.stderr and "python3-dev" in done.stderr


# ---- which Python, and how it is linked ----

def commands_for(python):
    """What make would run to link the server and its Python plugin, a line each."""
    names = ["uwsgi", "plugins/python/python_plugin.so"]
    said = run("make", "-n", "-W", "build/linked", "-C", ROOT, *names, f"PYTHON={python}")
    lines = said.replace("\\\n", " ").splitlines()
    return [next(line for line in lines if f"-o {name} " in line) for name in names]


def test_a_python_without_a_shared_library_is_linked_into_the_server(folder):
    with open(f"{folder}/sitecustomize.py", "w", encoding="ascii") as f:
        f.write("import sys, sysconfig\nreal = sysconfig.get_config_var\n"
                "fake = {'Py_ENABLE_SHARED': 0, 'LIBDIR': '/nowhere'}\n"
                "sysconfig.get_config_var = lambda n: fake[n] if n in fake else real(n)\n"
                "sys.base_prefix = '/nowhere'\n")
    with open(f"{folder}/python", "w", encoding="ascii") as f:
        f.write(f'#!/bin/sh\nPYTHONPATH={folder} exec {PYTHON} "$@"\n')
    os.chmod(f"{folder}/python", 0o755)
    server, plugin = commands_for(f"{folder}/python")
    assert "-no-pie" in server and "--whole-archive" in server and "libpython3." in server
    assert "-lpython" not in plugin
    server, plugin = commands_for(PYTHON)
    assert "-no-pie" not in server and "libpython" not in server
    assert "-lpython3." in plugin


def test_an_environment_has_the_headers_of_its_python(folder):
    run(PYTHON, "-m", "venv", "--without-pip", f"{folder}/v")
    for word in ("compile", "link"):
        words = ("-B", f"{ROOT}/buildconf/embed.py", word)
        assert run(f"{folder}/v/bin/python", *words) == run(PYTHON, *words)
