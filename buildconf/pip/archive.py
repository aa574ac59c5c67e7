# SPDX-License-Identifier: MIT
"""Archives that are the same byte for byte whenever and wherever they are made: entries in order of
their names, of nobody, all of one time."""
import base64
import gzip
import hashlib
import os
import shutil
import subprocess
import tarfile
import time
import zipfile

ZIP_BEGINS = 315532800  # 1980: no time in a zip archive is before it


def source_time(root):
    """Seconds since 1970: SOURCE_DATE_EPOCH, or when the commit was made, or what the archive that
    these sources come from says."""
    given = os.environ.get("SOURCE_DATE_EPOCH")
    if not given and is_checkout(root):
        given = git(root, "log", "-1", "--format=%ct").strip()
    return int(given or os.stat(f"{root}/VERSION").st_mtime)


def is_checkout(root):
    """Where git itself is missing, the files alone have to do."""
    return os.path.exists(f"{root}/.git") and shutil.which("git") is not None


def git(root, *words):
    # A clone may belong to another user than the one who builds.
    return subprocess.run(["git", "-c", "safe.directory=*", "-C", root, *words], check=True,
                          stdout=subprocess.PIPE, universal_newlines=True).stdout


def files_below(folder):
    for path, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            yield os.path.relpath(os.path.join(path, name), folder)


def mode_of(path):
    return 0o755 if os.stat(path).st_mode & 0o100 else 0o644


class Sdist:
    """A .tar.gz whose entries lie in one folder."""

    def __init__(self, path, folder, seconds):
        self.folder, self.seconds, self.entries = folder, seconds, []
        self.file = open(path, "wb")
        self.zip = gzip.GzipFile("", "wb", 9, self.file, mtime=seconds)
        self.tar = tarfile.open(fileobj=self.zip, mode="w", format=tarfile.PAX_FORMAT)

    def add(self, name, path):
        entry = tarfile.TarInfo(f"{self.folder}/{name}")
        entry.size, entry.mode, entry.mtime = os.path.getsize(path), mode_of(path), self.seconds
        with open(path, "rb") as f:
            self.tar.addfile(entry, f)

    def close(self):
        for each in (self.tar, self.zip, self.file):
            each.close()


class Wheel:
    """A wheel; close() writes its RECORD."""

    def __init__(self, path, record, seconds):
        self.record, self.lines = record, []
        self.date = time.gmtime(max(seconds, ZIP_BEGINS))[:6]
        self.zip = zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED)

    def write(self, name, content, mode=0o644):
        entry = zipfile.ZipInfo(name, self.date)
        entry.external_attr = (0o100000 | mode) << 16
        entry.compress_type = zipfile.ZIP_DEFLATED
        entry.create_system = 3  # Unix: the mode counts
        self.zip.writestr(entry, content)
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).decode().rstrip("=")
        self.lines.append(f"{name},sha256={digest},{len(content)}\n")

    def add(self, name, path):
        with open(path, "rb") as f:
            self.write(name, f.read(), mode_of(path))

    def close(self):
        self.lines.append(f"{self.record},,\n")
        self.write(self.record, "".join(self.lines).encode())
        self.zip.close()
