# SPDX-License-Identifier: MIT
"""A newcomer's first hour: README's commands, word for word, in minimal Debians.

    make fresh                       bookworm and trixie; as root, with debootstrap
    make fresh FRESH=trixie          one of them
    FRESH_STEPS=demo make fresh      without `make check`, which takes most of the time
    DEBIAN_MIRROR=http://… make fresh

Each Debian lies in a folder of its own, and every command has its own mounts and process ids:
whatever happens, the kernel takes its processes and its /proc, /sys and /dev away."""
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PAGE = "http://127.0.0.1:8080/"
MINUTES = {"debootstrap": 15, "prepare": 10, "demo": 15, "check": 45}
STEPS = os.environ.get("FRESH_STEPS", "demo check").split()
ENV = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LANG": "C.UTF-8",
       "TERM": "dumb"}
# /dev is the machine's, so that sh and apt find null, random and pts; the mounts are private.
MOUNTS = """
mount --rbind /dev "$1/dev" && mount -t proc proc "$1/proc" && mount -t sysfs -o ro sys "$1/sys"
chroot "$1" /bin/sh -c "cd /root; [ ! -d uwsgi ] || cd uwsgi; $2"
"""


class Failed(Exception):
    pass


def say(text):
    print(f"== {time.strftime('%H:%M:%S')} {text}", flush=True)


def readme_commands():
    """The first block below "## Two commands": what has to be there, the demo, the check."""
    with open(f"{ROOT}/README.md", encoding="utf-8") as f:
        block = f.read().split("\n## Two commands\n", 1)[1].split("\n## ", 1)[0]
    lines = [re.sub(r"\s+#.*", "", line[4:]) for line in block.splitlines()
             if line.startswith("    ")]
    assert len(lines) == 3, lines
    return dict(zip(("prepare", "demo", "check"), lines))


def ended_with(code, command):
    return Failed(f"{command!r} ended with exit code {code}")


def run(argv, minutes, **how):
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, timeout=minutes * 60, check=False, **how)
    if done.returncode:
        raise ended_with(done.returncode, argv[-1])


def inside(root, command):
    """The words of a command that runs in the Debian below root, in /root/uwsgi."""
    return ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-ec", MOUNTS, "sh",
            root, command]


def debootstrap(suite, root):
    mirror = os.environ.get("DEBIAN_MIRROR")
    run(["debootstrap", "--variant=minbase", suite, root, *([mirror] if mirror else [])],
        MINUTES["debootstrap"], stdout=subprocess.DEVNULL)
    shutil.copy("/etc/resolv.conf", f"{root}/etc/resolv.conf")
    with open(f"{root}/etc/apt/apt.conf.d/99fresh", "w", encoding="ascii") as f:
        f.write('APT::Get::Assume-Yes "true";\n')  # there is nobody to ask


def clone(root):
    """What is committed, into /root/uwsgi.  A bundle, because this clone may be a worktree."""
    run(["git", "-C", ROOT, "bundle", "create", "--quiet", f"{root}/root/uwsgi.bundle", "HEAD"], 2)
    run(inside(root, "git -c init.defaultBranch=main -c advice.detachedHead=false clone --quiet "
                     "/root/uwsgi.bundle /root/uwsgi"), 2, env=ENV)


def page():
    try:
        with urllib.request.urlopen(PAGE, timeout=5) as answer:
            return answer.read().decode()
    except OSError:
        return ""


def demo(root, command):
    """Runs until the page is there, then gets what Ctrl-C sends."""
    if page():
        raise Failed(f"somebody else serves {PAGE} already")
    started = time.monotonic()
    process = subprocess.Popen(inside(root, command), stdin=subprocess.DEVNULL, env=ENV,
                               start_new_session=True)
    try:
        while "It works" not in page():
            if process.poll() is not None:
                raise ended_with(process.returncode, command)
            if time.monotonic() - started > MINUTES["demo"] * 60:
                raise Failed(f"{command!r} serves nothing on {PAGE}")
            time.sleep(0.2)
        say(f"{PAGE} is served after {time.monotonic() - started:.0f} s")
        os.killpg(process.pid, signal.SIGINT)
        process.wait(30)
        if page():
            raise Failed(f"{PAGE} is still served after Ctrl-C")
    finally:
        process.kill()  # and with it, all that runs in there
        process.wait()


def try_suite(suite):
    commands = readme_commands()
    root = tempfile.mkdtemp(prefix=f"uwsgi-fresh-{suite}-", dir=os.environ.get("FRESH_DIR"))
    os.chmod(root, 0o755)
    try:
        say(f"{suite}: debootstrap into {root}")
        debootstrap(suite, root)
        say(f"{suite}: {commands['prepare']}; git clone into /root/uwsgi")
        run(inside(root, commands["prepare"]), MINUTES["prepare"], env=ENV,
            stdout=subprocess.DEVNULL)
        clone(root)
        for step in STEPS:
            say(f"{suite}: {commands[step]}")
            if step == "demo":
                demo(root, commands[step])
            else:
                run(inside(root, commands[step]), MINUTES[step], env=ENV)
        say(f"{suite}: passed")
    finally:
        shutil.rmtree(root)


def main(suites):
    if os.geteuid() != 0:
        sys.exit("make fresh needs root, for chroot and mounts")
    for tool in ("debootstrap", "unshare", "git"):
        if not shutil.which(tool):
            sys.exit(f"make fresh needs {tool}: apt-get install {tool}")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended by SIGTERM"))
    failed = []
    for suite in suites:
        try:
            try_suite(suite)
        except (Failed, subprocess.TimeoutExpired) as e:
            say(f"{suite}: FAILED: {e}")
            failed.append(suite)
    sys.exit(f"failed: {' '.join(failed)}" if failed else 0)


if __name__ == "__main__":
    main(sys.argv[1:])
