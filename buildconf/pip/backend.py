# SPDX-License-Identifier: MIT
"""What pip, uv and others ask to build this project (PEP 517), with the standard library alone.

A wheel holds what `make install` installs, and the package uwsgi_ng beside it: how the server is
built is the Makefile's matter.  It is built in a copy, from nothing, so that the clone keeps what
was built there, for whichever Python.  It is for the Python and the machine that build it.
"""
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile

import archive

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.append(f"{ROOT}/buildconf")
import sbom  # noqa: E402

HERE = f"{ROOT}/buildconf/pip"
NAME = "uwsgi_ng"
# No folder of this machine: what is installed finds its files from where it lies.
PREFIX = "/usr"
# What building and testing leaves among unpacked sources, and what the archive has beside them.
NO_SOURCE = re.compile(r"(build|dist)/|(uwsgi|uwsgi-static|plugins/manifest|PKG-INFO|\.git)$|"
                       r".*(_plugin\.so|\.pyc)$|(.*/)?(__pycache__|\.pytest_cache|\.git)/")


def version():
    with open(f"{ROOT}/VERSION", encoding="ascii") as f:
        return f.read().strip()


def metadata():
    with open(f"{HERE}/METADATA.in", encoding="utf-8") as head, \
            open(f"{ROOT}/README.md", encoding="utf-8") as text:
        return (head.read().replace("@VERSION@", version()) + text.read()).encode()


# ---- sources ----

def sources(*more):
    """Names of files: those that git knows, or all that an unpacked archive has.  more: for git
    ls-files."""
    if archive.is_checkout(ROOT):
        names = archive.git(ROOT, "ls-files", "-z", "--cached", *more).split("\0")
        return sorted(n for n in names if n and os.path.exists(f"{ROOT}/{n}"))
    return sorted(n for n in archive.files_below(ROOT) if not NO_SOURCE.match(n))


def build_sdist(sdist_directory, config_settings=None):
    folder = f"{NAME}-{version()}"
    made = archive.Sdist(f"{sdist_directory}/{folder}.tar.gz", folder, archive.source_time(ROOT))
    with tempfile.NamedTemporaryFile() as info:
        info.write(metadata())
        info.flush()
        os.chmod(info.name, 0o644)
        made.add("PKG-INFO", info.name)
    for name in sources():
        made.add(name, f"{ROOT}/{name}")
    made.close()
    return f"{folder}.tar.gz"


# ---- what is built ----

def interpreter():
    """Not that of the environment that pip builds in, which is gone afterwards."""
    path = f"{sys.base_prefix}/bin/python{sys.version_info[0]}.{sys.version_info[1]}"
    return path if os.path.exists(path) else sys.executable


def tag():
    """cp311-cp311-linux_x86_64: Python, its ABI (with d: a debug build), the machine."""
    number = f"cp{sys.version_info[0]}{sys.version_info[1]}"
    abi = sysconfig.get_config_var("SOABI").split("-")[1]
    platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
    return f"{number}-cp{abi}-{platform}"


def check_machine():
    if sys.implementation.name != "cpython" or not sys.platform.startswith("linux"):
        sys.exit("uwsgi-ng runs CPython on Linux, not "
                 f"{sys.implementation.name} on {sys.platform}")
    script = ["sh", f"{ROOT}/buildconf/dependencies.sh", "missing", interpreter()]
    if subprocess.call(script):
        sys.exit(1)


def copy_sources(folder):
    for name in sources("--others", "--exclude-standard"):
        os.makedirs(os.path.dirname(f"{folder}/{name}"), exist_ok=True)
        shutil.copy(f"{ROOT}/{name}", f"{folder}/{name}")


def build(folder):
    """Installs below folder, from a copy of the sources."""
    copy = f"{folder}/sources"
    copy_sources(copy)
    env = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "PYTHONHOME", "DESTDIR")}
    subprocess.run(["make", "-s", f"-j{len(os.sched_getaffinity(0))}", "install",
                    f"PREFIX={PREFIX}", f"DESTDIR={folder}/installed", f"PYTHON={interpreter()}"],
                   cwd=copy, env=env, check=True, stdout=sys.stderr)


def installed_files(folder):
    """Pairs of the name in the wheel and the file.  Wheels have no links: another name of the
    program would be another copy."""
    base = f"{folder}{PREFIX}"
    for name in archive.files_below(base):
        kind = "scripts" if name.startswith("bin/") else "data"
        inside = name[len("bin/"):] if kind == "scripts" else name
        if not os.path.islink(f"{base}/{name}"):
            yield f"{NAME}-{version()}.data/{kind}/{inside}", f"{base}/{name}"


def pack(folder, wheel_directory):
    """The wheel of what `make install` has put below folder; its file's name."""
    name, info = f"{NAME}-{version()}-{tag()}.whl", f"{NAME}-{version()}.dist-info"
    wheel = archive.Wheel(f"{wheel_directory}/{name}", f"{info}/RECORD",
                          archive.source_time(ROOT))
    for each in ("__init__.py", "__main__.py"):
        wheel.add(f"{NAME}/{each}", f"{HERE}/{NAME}/{each}")
    for inside, path in installed_files(folder):
        wheel.add(inside, path)
    programs = [path for _, path in installed_files(folder) if os.access(path, os.X_OK)]
    wheel.write(f"{info}/sboms/{NAME}.cdx.json", sbom.bill(programs).encode())
    wheel.add(f"{info}/licenses/LICENSE", f"{ROOT}/LICENSE")
    wheel.write(f"{info}/METADATA", metadata())
    wheel.write(f"{info}/WHEEL", f"Wheel-Version: 1.0\nGenerator: {NAME} {version()}\n"
                f"Root-Is-Purelib: false\nTag: {tag()}\n".encode())
    wheel.close()
    return name


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    check_machine()
    with tempfile.TemporaryDirectory() as folder:
        try:
            build(folder)
        except subprocess.CalledProcessError as e:
            sys.exit(f"uwsgi-ng cannot be built: make ended with {e.returncode}; see above")
        return pack(f"{folder}/installed", wheel_directory)


def prepare_metadata_for_build_wheel(metadata_directory, config_settings=None):
    info = f"{NAME}-{version()}.dist-info"
    os.makedirs(f"{metadata_directory}/{info}")
    with open(f"{metadata_directory}/{info}/METADATA", "wb") as f:
        f.write(metadata())
    return info
