# SPDX-License-Identifier: MIT
"""Plugins that know nothing of the server but what `make install` brings: <uwsgi/plugin.h>, which
pkg-config finds.  Each is one C file, built outside the tree."""
import os
import shutil
import subprocess
import tempfile

import pytest

from lib.server import ROOT

HERE = os.path.dirname(os.path.abspath(__file__))


@pytest.fixture(scope="session")
def sdk_folder():
    folder = tempfile.mkdtemp(prefix="uwsgi-sdk-")
    os.chmod(folder, 0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def installed(sdk_folder):
    """What pkg-config says of an installation: installed("--cflags")."""
    # What is built is taken as it is: other tests run it meanwhile.
    subprocess.run(["make", "-s", "-C", ROOT, "-o", "all", "install", f"DESTDIR={sdk_folder}",
                    f"PYTHON={os.environ.get('UWSGI_PYTHON', '/usr/bin/python3')}"],
                   check=True, timeout=50, capture_output=True)

    def ask(word):
        where = {**os.environ, "PKG_CONFIG_PATH": f"{sdk_folder}/usr/local/lib/pkgconfig"}
        return subprocess.run(["pkg-config", word, "uwsgi"], env=where, check=True,
                              capture_output=True, text=True, timeout=10).stdout.split()
    return ask


@pytest.fixture(scope="session")
def plugin(sdk_folder, installed):
    """plugin("finger") builds finger.c, or the given source of that name, once; its path."""
    def build(name, source=None, flags=()):
        path = f"{sdk_folder}/{name}_plugin.so"
        if source:
            with open(f"{sdk_folder}/{name}.c", "w", encoding="utf-8") as f:
                f.write(source)
        elif os.path.exists(path):
            return path
        done = subprocess.run(
            ["cc", "-Wall", "-Wextra", "-Werror", "-O2", "-fPIC", "-shared",
             *installed("--cflags"), *flags, "-o", path,
             f"{sdk_folder if source else HERE}/{name}.c"],
            cwd=sdk_folder, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr
        return path
    return build
