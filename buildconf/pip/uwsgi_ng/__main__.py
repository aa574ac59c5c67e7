# SPDX-License-Identifier: MIT
"""python -m uwsgi_ng: becomes the server that was installed with this package."""
import os
import signal
import sys
from importlib.metadata import files


def program():
    """Where pip put it: into a bin/ that depends on how it was called."""
    paths = (str(f.locate()) for f in files("uwsgi-ng") or () if f.name == "uwsgi")
    path = next((p for p in paths if os.access(p, os.X_OK) and os.path.isfile(p)), None)
    # pip install --target moves it afterwards.
    return path or os.path.join(os.path.dirname(os.path.dirname(__file__)), "bin", "uwsgi")


def main():
    # Python ignores these, and what it becomes would inherit that.
    for name in (signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(name, signal.SIG_DFL)
    path = os.path.normpath(program())
    try:
        os.execv(path, [path, *sys.argv[1:]])
    except OSError as e:
        sys.exit(f"{path}: {e.strerror}; install uwsgi-ng again")


main()
