# SPDX-License-Identifier: MIT
"""The bill of materials says what the binaries are linked with, each with its licence."""
import glob
import json
import os
import re
import subprocess
import zipfile

import pytest

from lib.packages import PYTHON, run
from lib.server import ROOT

BUILT = [f"{ROOT}/uwsgi", *sorted(glob.glob(f"{ROOT}/plugins/*/*_plugin.so"))]


def bill(*files, **env):
    return run(PYTHON, "-B", f"{ROOT}/buildconf/sbom.py", *files, env={**os.environ, **env})


def test_every_library_that_is_needed_is_named_with_its_licence():
    said = json.loads(bill(*BUILT))
    needed = set(re.findall(r"NEEDED\).*\[(?:lib)?([a-z]+)", subprocess.run(
        ["readelf", "--dynamic", *BUILT], capture_output=True, text=True, check=True).stdout))
    components = said["components"]
    assert {"ev", "inih", "jansson", "pcre", "cap", "z"} <= needed
    for name in needed - {"ld", "m"}:  # parts of the C library's package
        assert any(name in c["name"] for c in components), name
    # A new library is a new row of LICENSES.
    assert [c["name"] for c in components if "licenses" not in c] == []
    assert [d["dependsOn"] for d in said["dependencies"]] == [[c["bom-ref"] for c in components]]
    assert said["metadata"]["component"]["name"] == "uwsgi-ng"


def test_the_same_build_has_the_same_bill():
    one = bill(*BUILT, SOURCE_DATE_EPOCH="1700000000")
    assert bill(*BUILT, SOURCE_DATE_EPOCH="1700000000", TZ="Asia/Tokyo") == one
    assert json.loads(one)["metadata"]["timestamp"] == "2023-11-14T22:13:20Z"


def test_where_no_package_is_known_the_library_has_its_own_name(folder):
    os.mkdir(f"{folder}/bin")
    for tool in ("readelf", "cc"):
        os.symlink(f"/usr/bin/{tool}", f"{folder}/bin/{tool}")
    said = json.loads(bill(f"{ROOT}/uwsgi", PATH=f"{folder}/bin"))
    assert {"name": "libev.so.4", "version": "4"}.items() <= next(
        c for c in said["components"] if "libev" in c["name"]).items()


@pytest.mark.seconds(120)
def test_a_wheel_has_its_bill(wheel):
    with zipfile.ZipFile(wheel) as z:
        name = next(n for n in z.namelist() if ".dist-info/sboms/" in n)
        assert json.loads(z.read(name))["bomFormat"] == "CycloneDX"
