# SPDX-License-Identifier: MIT
"""A wheel of what is built, and an environment with it.  What takes a minute, `pip install` from
the sources, is what `make fresh` does."""
import shutil

import pytest

from lib.packages import PYTHON, call_backend, run
from lib.server import ROOT
from lib.starter import make_folder


@pytest.fixture(scope="session")
def install_folder():
    path = make_folder()
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(scope="session")
def installed(install_folder):
    """Where `make install` has put everything, below usr/."""
    path = f"{install_folder}/installed"
    # What is built is taken as it is: other tests run it meanwhile.
    run("make", "-s", "-C", ROOT, "-o", "all", "install", f"DESTDIR={path}", "PREFIX=/usr",
        f"PYTHON={PYTHON}")
    return path


@pytest.fixture(scope="session")
def wheel(install_folder, installed):
    return f"{install_folder}/{call_backend(f'backend.pack({installed!r}, {install_folder!r})')}"


@pytest.fixture(scope="session")
def venv(install_folder, wheel):
    path = f"{install_folder}/venv"
    run(PYTHON, "-m", "venv", path)
    run(f"{path}/bin/pip", "install", "--no-index", wheel)
    return path
