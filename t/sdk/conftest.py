# SPDX-License-Identifier: MIT
"""Plugins that know nothing of the server but <uwsgi/plugin.h>, built outside the tree."""
import os
import shutil
import subprocess
import tempfile

import pytest

from lib.server import ROOT

HERE = os.path.dirname(os.path.abspath(__file__))


@pytest.fixture(scope="session")
def plugin():
    """plugin("finger") builds finger.c, or the given source of that name, once; its path."""
    folder = tempfile.mkdtemp(prefix="uwsgi-sdk-")
    os.chmod(folder, 0o755)

    def build(name, source=None, flags=()):
        path = f"{folder}/{name}_plugin.so"
        if source:
            with open(f"{folder}/{name}.c", "w", encoding="utf-8") as f:
                f.write(source)
        elif os.path.exists(path):
            return path
        done = subprocess.run(
            ["cc", "-std=gnu11", "-Wall", "-Wextra", "-Werror", "-O2", "-fPIC", "-shared",
             f"-I{ROOT}/include", *flags, "-o", path,
             f"{folder if source else HERE}/{name}.c"],
            cwd=folder, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr
        return path
    yield build
    shutil.rmtree(folder, ignore_errors=True)
