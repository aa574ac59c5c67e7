# SPDX-License-Identifier: MIT
"""conf.py: a child that runs a gunicorn.conf.py and prints what it sets and which variables of the
environment it asks for, as JSON.  A process of its own, since the file is a program: it may hang, end,
or import what the application needs.  As gunicorn has it, the folder is that of the start, whatever --chdir
says.

usage: python3 conf.py FILE|python:MODULE"""
import importlib
import importlib.abc
import importlib.machinery
import json
import os
import re
import sys
import types


class Stub:
    """Whatever a configuration takes from gunicorn where that is not installed: a class to
    inherit from."""

    def __init__(self, *args, **kwargs):
        pass

    def __getattr__(self, name):
        return Stub()

    def __call__(self, *args, **kwargs):
        return Stub()


class StubModule(types.ModuleType):
    __path__ = ()

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return Stub


class WithoutGunicorn(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """The last of the finders: asked when no gunicorn is installed."""

    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] == "gunicorn":
            return importlib.machinery.ModuleSpec(name, self, is_package=True)
        return None

    def create_module(self, spec):
        return StubModule(spec.name)

    def exec_module(self, module):
        pass


def plain(value):
    """As JSON has it; a function is {"function": its line}, another object None."""
    if isinstance(value, (str, int, float, bool)) or value is None:
        return value
    if isinstance(value, dict):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple, set)):
        return [plain(v) for v in value]
    if isinstance(value, type):
        return f"{value.__module__}.{value.__qualname__}"
    if callable(value):
        return {"function": getattr(getattr(value, "__code__", None), "co_firstlineno", 0)}
    return None


def watch(name, asked):
    """From here on, asked grows by the variables that the file itself asks for."""
    kind = type(os.environ)
    get = kind.__getitem__

    def look_up(self, key):
        frame = sys._getframe(1)  # pylint: disable=protected-access
        while re.search(r"\b(os|_collections_abc)\b", os.path.basename(frame.f_code.co_filename)):
            frame = frame.f_back
        if frame.f_code.co_filename == name:
            asked.add(str(key))
        return get(self, key)
    kind.__getitem__ = look_up


def run(name):
    if name.startswith("python:"):
        return vars(importlib.import_module(name[len("python:"):]))
    module = types.ModuleType("__config__")
    module.__file__ = os.path.abspath(name)
    sys.modules["__config__"] = module
    with open(name, encoding="utf-8") as f:
        exec(compile(f.read(), name, "exec"), vars(module))  # pylint: disable=exec-used
    return vars(module)


def main():
    answer = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what the file prints is no part of the answer
    name = sys.argv[1]
    name = name if name.startswith("python:") else os.path.abspath(name)
    sys.path[0] = os.getcwd()
    sys.meta_path.append(WithoutGunicorn())
    asked = set()
    watch(name, asked)
    found = {k: plain(v) for k, v in run(name).items()
             if not k.startswith("_") and not isinstance(v, types.ModuleType)}
    json.dump({"settings": found, "asked": sorted(asked)}, answer)
    answer.flush()


main()
