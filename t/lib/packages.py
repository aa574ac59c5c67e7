# SPDX-License-Identifier: MIT
"""The backend that pip asks, buildconf/pip/, and commands that have to succeed."""
import os
import subprocess

from lib.server import ROOT

PYTHON = os.environ.get("UWSGI_PYTHON", "/usr/bin/python3")
BACKEND = f"{ROOT}/buildconf/pip"


def run(*words, **how):
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False, **how)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout


def call_backend(code, folder=BACKEND, env=None):
    """What this prints, said to the Python that the server was built for."""
    return run(PYTHON, "-B", "-c", f"import sys; sys.path.insert(0, {folder!r}); import backend; "
               f"print({code})", env={**os.environ, **(env or {})}).strip()
