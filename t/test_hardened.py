# SPDX-License-Identifier: MIT
"""What makes an exploit harder is in everything that is installed: read from the files."""
import glob
import os
import platform
import subprocess

import pytest

from lib.server import COMMAND, ROOT

PLUGINS = sorted(glob.glob(f"{ROOT}/plugins/*/*_plugin.so"))
BUILT = [COMMAND[0], *PLUGINS]

pytestmark = pytest.mark.skipif(bool(os.environ.get("UWSGI_SANITIZED")),
                                reason="a sanitizer's build is not for production")


def readelf(path, *what):
    return subprocess.run(["readelf", "--wide", *what, path], capture_output=True, text=True,
                          check=True).stdout


@pytest.mark.parametrize("path", BUILT, ids=os.path.basename)
def test_no_address_that_is_jumped_to_can_be_written(path):
    segments = readelf(path, "--segments")
    stack = [line for line in segments.splitlines() if "GNU_STACK" in line]
    assert "GNU_RELRO" in segments
    assert "BIND_NOW" in readelf(path, "--dynamic")
    assert stack and "E" not in stack[0].split()[6], stack


def test_the_program_lies_at_an_address_that_nobody_knows():
    assert "DYN" in readelf(COMMAND[0], "--file-header").split("Type:")[1].splitlines()[0]


# SCGI's plugin puts nothing onto its stack that could overflow.
@pytest.mark.parametrize("path", [path for path in BUILT if "scgi_plugin" not in path],
                         ids=os.path.basename)
def test_what_is_written_onto_the_stack_is_watched(path):
    assert "__stack_chk_fail" in readelf(path, "--dyn-syms")


def test_calls_of_libc_know_how_large_their_buffers_are():
    assert {"__snprintf_chk", "__memcpy_chk"} <= set(
        readelf(COMMAND[0], "--dyn-syms").replace("@", " ").split())


# Of the whole program only where the C library's own start-up code has the mark, too.
@pytest.mark.skipif(platform.machine() != "x86_64", reason="marks of x86-64 processors")
def test_every_object_is_ready_for_control_flow_enforcement():
    sources = glob.glob(f"{ROOT}/core/*/*.c") + glob.glob(f"{ROOT}/plugins/*/*.c")
    objects = [f"{ROOT}/build/default{s.removeprefix(ROOT)[:-1]}o" for s in sources]
    assert not [o for o in objects if "IBT, SHSTK" not in readelf(o, "--notes")]
