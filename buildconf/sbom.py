#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes which libraries a build is linked with, as a bill of materials (CycloneDX 1.5, JSON).

usage: python3 buildconf/sbom.py uwsgi plugins/*/*_plugin.so > uwsgi.cdx.json

It reads what the files need from themselves, and finds the packages where dpkg knows them.  PYTHON is
the one that runs this; the compiler of CC says where its libraries lie, so that it is right for
another machine, too.  The same build has the same text.
"""
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import uuid
from datetime import datetime, timezone
from urllib.parse import quote

import embed

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
NAMESPACE = uuid.UUID("5f4c1d6e-3f4e-5b0e-9a44-0b6d1a9f5c21")
# By the name without its version; SPDX expressions.
LICENSES = {
    "libc": "LGPL-2.1-or-later", "libm": "LGPL-2.1-or-later", "ld-linux": "LGPL-2.1-or-later",
    "libdl": "LGPL-2.1-or-later", "libpthread": "LGPL-2.1-or-later",
    "libcap": "BSD-3-Clause OR GPL-2.0-only", "libcrypt": "LGPL-2.1-or-later",
    "libev": "BSD-2-Clause OR GPL-2.0-or-later", "libexpat": "MIT", "libinih": "BSD-3-Clause",
    "libjansson": "MIT", "libpcre2-8": "BSD-3-Clause WITH PCRE2-exception",
    "libpython": "PSF-2.0", "libz": "Zlib",
}


def ask(*words):
    done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                          universal_newlines=True, check=False)
    return done.stdout.strip()


def needed(files):
    """{libev.so.4: the folders in which a file that needs it lets it be looked for}"""
    found = {}
    for path in files:
        said = ask("readelf", "--dynamic", "--wide", path)
        folders = re.findall(r"(?:RUNPATH|RPATH)\).*\[(.*)\]", said)
        for name in re.findall(r"NEEDED\).*\[(.*)\]", said):
            found.setdefault(name, []).extend(":".join(folders).split(":") if folders else [])
    return found


def file_of(name, folders):
    for folder in folders:
        if os.path.exists(f"{folder}/{name}"):
            return os.path.realpath(f"{folder}/{name}")
    path = ask(*os.environ.get("CC", "cc").split(), f"-print-file-name={name}")
    return os.path.realpath(path) if os.path.isabs(path) else None


def package_of(path):
    """(name, version, architecture) of Debian's package, or None."""
    if not path or not shutil.which("dpkg-query"):
        return None
    # Packages may know the file from before /lib became a link to /usr/lib.
    for known in (path, path[len("/usr"):] if path.startswith("/usr/lib") else "/usr" + path):
        owner = ask("dpkg-query", "--search", known).splitlines()
        if owner:
            said = ask("dpkg-query", "--show", "--showformat=${Package} ${Version} ${Architecture}",
                       owner[0].rsplit(": ", 1)[0].split(",")[0])
            return tuple(said.split())
    return None


def distribution():
    """debian-12, and its name alone."""
    try:
        with open("/etc/os-release", encoding="utf-8") as f:
            said = dict(line.rstrip().replace('"', "").split("=", 1) for line in f if "=" in line)
    except OSError:
        return "", "debian"
    return f"{said.get('ID', 'debian')}-{said.get('VERSION_ID', '')}".rstrip("-"), said.get("ID")


def license_of(name):
    base = re.split(r"\.so|\d\.\d|-x86|-linux-[a-z]+\d", name)[0]
    return {"licenses": [{"expression": LICENSES[base]}]} if base in LICENSES else {}


def library(name, folders):
    package = package_of(file_of(name, folders))
    version = re.search(r"\.so\.(.*)", name)
    component = {"type": "library", "bom-ref": name, "name": name}
    if package:
        name, release, vendor = package[0], *distribution()
        purl = (f"pkg:deb/{vendor}/{name}@{quote(package[1], safe=':~')}"
                f"?arch={package[2]}&distro={release}")
        return {**component, "bom-ref": purl, "name": name, "version": package[1],
                **license_of(component["name"]), "purl": purl}
    return {**component, **({"version": version[1]} if version else {}), **license_of(name)}


def python_inside():
    """The library that is linked into the program itself, where Python has no shared one."""
    version = platform.python_version()
    return {"type": "library", "bom-ref": "python", "name": "python", "version": version,
            "licenses": [{"expression": "PSF-2.0"}], "purl": f"pkg:generic/python@{version}"}


def bill(files):
    with open(f"{ROOT}/VERSION", encoding="ascii") as f:
        version = f.read().strip()
    # One package may hold several of them.
    each = (library(name, folders) for name, folders in sorted(needed(files).items()))
    components = list({c["bom-ref"]: c for c in each}.values())
    if not embed.shared():
        components.append(python_inside())
    main = {"type": "application", "bom-ref": "uwsgi-ng", "name": "uwsgi-ng", "version": version,
            "licenses": [{"license": {"id": "MIT"}}], "purl": f"pkg:pypi/uwsgi-ng@{version}"}
    made = {"bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1,
            "metadata": {"component": main}, "components": components,
            "dependencies": [{"ref": "uwsgi-ng", "dependsOn": [c["bom-ref"] for c in components]}]}
    made["serialNumber"] = f"urn:uuid:{uuid.uuid5(NAMESPACE, json.dumps(made, sort_keys=True))}"
    if os.environ.get("SOURCE_DATE_EPOCH"):
        when = datetime.fromtimestamp(int(os.environ["SOURCE_DATE_EPOCH"]), timezone.utc)
        made["metadata"]["timestamp"] = when.strftime("%Y-%m-%dT%H:%M:%SZ")
    return json.dumps(made, indent=2) + "\n"


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(f"usage: {sys.argv[0]} FILE ...")
    sys.stdout.write(bill(sys.argv[1:]))
