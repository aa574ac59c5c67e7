# SPDX-License-Identifier: MIT
"""Builds the wheel and the archive of the sources twice, in folders of other names and another time
zone and language, and compares them byte for byte.  `make reproducible` runs this."""
import filecmp
import os
import sys
import tempfile

import backend

SURROUNDINGS = ({"TZ": "UTC", "LC_ALL": "C"}, {"TZ": "Asia/Tokyo", "LC_ALL": "C.UTF-8"})


def build(folder, surroundings):
    os.environ.update(surroundings)
    os.makedirs(f"{folder}/work")
    tempfile.tempdir = f"{folder}/work"
    return [f"{folder}/{make(folder)}" for make in (backend.build_sdist, backend.build_wheel)]


def main():
    with tempfile.TemporaryDirectory() as folder:
        pairs = zip(build(f"{folder}/a", SURROUNDINGS[0]),
                    build(f"{folder}/quite/another", SURROUNDINGS[1]))
        differ = [a for a, b in pairs if not filecmp.cmp(a, b, shallow=False)]
    if differ:
        sys.exit("two builds differ: " + " ".join(map(os.path.basename, differ)))
    print("two builds are the same, byte for byte")


if __name__ == "__main__":
    main()
