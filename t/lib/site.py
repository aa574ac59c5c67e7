# SPDX-License-Identifier: MIT
"""The pages of docs/ as `make site` makes a site of them."""
import os
import shutil
import subprocess

from lib.server import BASE_ENV, ROOT


def missing():
    """Why it cannot be made here, or None."""
    return None if shutil.which("mkdocs", path=BASE_ENV["PATH"]) else "mkdocs is not installed"


def build(folder):
    """The folder of the site."""
    site = os.path.join(str(folder), "site")
    done = subprocess.run(["mkdocs", "build", "--quiet", "--strict", "--site-dir", site, "-f",
                           f"{ROOT}/buildconf/site/mkdocs.yml"], capture_output=True, text=True,
                          env={**BASE_ENV, "PYTHONDONTWRITEBYTECODE": "1"}, timeout=60, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
    return site
