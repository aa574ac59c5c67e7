#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What the compiler and the linker need to know about the Python that runs this.

usage: python3 buildconf/embed.py compile | link | inside | shared | lacks

`compile` says where its headers are, `link` how the plugin is linked with its library, and `inside`
how a program takes in all of it (`make static`).  A Python that was built without a shared library
can only be used the second way: `shared` is empty then, and so is `link`.  `lacks` names the
archives of `inside` that are not there.

Virtual environments may ask, too: they have no python3-config, and the paths are those of the Python
that they were made with.
"""
import os
import sys
import sysconfig

value = sysconfig.get_config_var


def compile_flags():
    return [f"-I{folder}" for folder in dict.fromkeys(
        (sysconfig.get_path("include"), sysconfig.get_path("platinclude")))]


def library_folder():
    """Where the shared library is, or None.  Conda's Pythons are built without one and bring it all the
    same; Pythons that were moved after they were built name the folder from before."""
    name = f"libpython{value('LDVERSION')}.so"
    folders = (value("LIBDIR") or "", os.path.join(sys.base_prefix, "lib"))
    found = next((f for f in folders if os.path.exists(f"{f}/{name}")), None)
    return found or (folders[0] if value("Py_ENABLE_SHARED") else None)


def shared():
    return ["yes"] if library_folder() else []


def link_flags():
    folder = library_folder()
    if not folder:
        return []
    # Where the dynamic linker looks by itself, nothing of this machine goes into the plugin.
    system = folder.startswith(("/usr/lib", "/lib"))
    return [f"-L{folder}", *([] if system else [f"-Wl,-rpath,{folder}"]),
            f"-lpython{value('LDVERSION')}"]


def inside():
    archive = f"{value('LIBPL')}/{value('LIBRARY')}"
    return ["-Wl,--whole-archive", archive, "-Wl,--no-whole-archive",
            *f"{value('LIBS')} {value('MODLIBS')} {value('SYSLIBS')}".split()]


def lacks():
    """Debian 13's archive needs another one that its package leaves out."""
    return [word for word in inside() if word.endswith(".a") and not os.path.exists(word)]


def main():
    answers = {"compile": compile_flags, "link": link_flags, "inside": inside, "shared": shared,
               "lacks": lacks}
    if len(sys.argv) != 2 or sys.argv[1] not in answers:
        sys.exit(f"usage: {sys.argv[0]} {' | '.join(answers)}")
    print(*answers[sys.argv[1]]())


if __name__ == "__main__":
    main()
