# SPDX-License-Identifier: MIT
"""A newcomer's first hour: the commands of README and docs/installing.md, word for word, in minimal
Debians.

    make fresh                       bookworm and trixie; as root, with debootstrap
    make fresh FRESH=trixie          one of them
    FRESH_STEPS="pip demo" make fresh    without `make check`, which takes most of the time
    FRESH_STEPS=arm64 make fresh     compiles for another processor; not one of the usual steps
    DEBIAN_MIRROR=http://… make fresh
    PIP_CERT=/etc/ssl/… make fresh   where pip needs other certificates to reach the Python index

What pip needs is tried in a Debian of its own, which has nothing of the others'.  Each Debian lies
in a folder of its own, and every command has its own mounts and process ids: whatever happens, the kernel
takes its processes and its /proc, /sys and /dev away."""
import contextlib
import glob
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
MINUTES = {"debootstrap": 15, "prepare": 10, "pip": 10, "arm64": 15, "demo": 15, "check": 45}
STEPS = os.environ.get("FRESH_STEPS", "pip demo check").split()
ENV = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LANG": "C.UTF-8",
       "TERM": "dumb"}
# /dev is the machine's, so that sh and apt find null, random and pts; the mounts are private.
MOUNTS = """
mount --rbind /dev "$1/dev" && mount -t proc proc "$1/proc" && mount -t sysfs -o ro sys "$1/sys"
chroot "$1" /bin/sh -c "cd $3; $2"
"""


class Failed(Exception):
    pass


def say(text):
    print(f"== {time.strftime('%H:%M:%S')} {text}", flush=True)


def three_commands(page, heading):
    """What stands below it as code."""
    with open(f"{ROOT}/{page}", encoding="utf-8") as f:
        part = f.read().split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    lines = [re.sub(r"\s+#.*", "", line[4:]) for line in part.splitlines()
             if line.startswith("    ")]
    assert len(lines) == 3, lines
    return lines


def readme_commands():
    """What has to be there, the demo, the check."""
    return dict(zip(("prepare", "demo", "check"), three_commands("README.md", "Two commands")))


def pip_commands():
    """The packages, the environment, the server."""
    return three_commands("docs/installing.md", "With pip")


def ended_with(code, command):
    return Failed(f"{command!r} ended with exit code {code}")


def run(argv, minutes, **how):
    how.setdefault("stdin", subprocess.DEVNULL)
    done = subprocess.run(argv, timeout=minutes * 60, check=False, **how)
    if done.returncode:
        raise ended_with(done.returncode, argv[-1])


def inside(root, command, folder="/root"):
    """The words of a command that runs in this folder of the Debian below root."""
    return ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-ec", MOUNTS, "sh",
            root, command, folder]


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


def nobody_serves():
    if page():
        raise Failed(f"somebody else serves {PAGE} already")


def wait_for_page(process, command, minutes):
    """Until this process serves it."""
    started = time.monotonic()
    while "It works" not in page():
        if process.poll() is not None:
            raise ended_with(process.returncode, command)
        if time.monotonic() - started > minutes * 60:
            raise Failed(f"{command!r} serves nothing on {PAGE}")
        time.sleep(0.2)
    say(f"{PAGE} is served after {time.monotonic() - started:.0f} s")


def serve(root, command, folder, minutes):
    """Runs until the page is there, then gets what Ctrl-C sends."""
    nobody_serves()
    process = subprocess.Popen(inside(root, command, folder), stdin=subprocess.DEVNULL, env=ENV,
                               start_new_session=True)
    try:
        wait_for_page(process, command, minutes)
        os.killpg(process.pid, signal.SIGINT)
        process.wait(30)
        if page():
            raise Failed(f"{PAGE} is still served after Ctrl-C")
    finally:
        process.kill()  # and with it, all that runs in there
        process.wait()


@contextlib.contextmanager
def beside(bare):
    """A copy of the minimal Debian, with the sources in /root/uwsgi."""
    root = f"{bare}-copy"
    try:
        run(["cp", "-a", bare, root], MINUTES["prepare"])
        os.makedirs(f"{root}/root/uwsgi")
        archive = ["git", "-C", ROOT, "archive", "HEAD"]
        with subprocess.Popen(archive, stdout=subprocess.PIPE) as tar:
            run(["tar", "-x", "-C", f"{root}/root/uwsgi"], 2, stdin=tar.stdout)
        yield root
    finally:
        shutil.rmtree(root, ignore_errors=True)


def pip(root):
    """An application of one's own, and the sources beside it."""
    shutil.copy(f"{ROOT}/ini/demo/app.py", f"{root}/root/app.py")
    env = dict(ENV)
    if os.environ.get("PIP_CERT"):
        shutil.copy(os.environ["PIP_CERT"], f"{root}/etc/pip-cert.pem")
        env["PIP_CERT"] = "/etc/pip-cert.pem"
    packages, install, server = pip_commands()
    for command in (packages, install):
        say(command)
        run(inside(root, command), MINUTES["pip"], env=env, stdout=subprocess.DEVNULL)
    say(server)
    serve(root, server, "/root", 1)


def arm64(root):
    """All that is installed is for that processor, and the server loads its plugins there."""
    for command in three_commands("docs/installing.md", "For another processor"):
        say(command)
        run(inside(root, command, "/root/uwsgi"), MINUTES["arm64"], env=ENV,
            stdout=subprocess.DEVNULL)
    usr = f"{root}/tmp/arm64/usr/local"
    programs = [f"{usr}/bin/uwsgi", *glob.glob(f"{usr}/lib/uwsgi/*.so")]
    for path in programs:
        with open(path, "rb") as f:
            if f.read(20)[18:] != b"\xb7\x00":  # EM_AARCH64
                raise Failed(f"{path} is for another processor")
    run(inside(root, "qemu-aarch64 /tmp/arm64/usr/local/bin/uwsgi --check --http-socket :0"), 1,
        env=ENV)
    say(f"{len(programs)} files are for that processor")


def readme(root):
    commands = readme_commands()
    say(f"{commands['prepare']}; git clone into /root/uwsgi")
    run(inside(root, commands["prepare"]), MINUTES["prepare"], env=ENV, stdout=subprocess.DEVNULL)
    clone(root)
    for step in (s for s in STEPS if s in ("demo", "check")):
        say(commands[step])
        if step == "demo":
            serve(root, commands[step], "/root/uwsgi", MINUTES[step])
        else:
            run(inside(root, commands[step], "/root/uwsgi"), MINUTES[step], env=ENV)


def try_suite(suite, folder):
    root = f"{folder}/debian"
    say(f"{suite}: debootstrap into {root}")
    debootstrap(suite, root)
    for name, step in (("pip", pip), ("arm64", arm64)):
        if name in STEPS:
            with beside(root) as copy:
                step(copy)
    if {"demo", "check"} & set(STEPS):
        readme(root)


def main(suites, try_suite=try_suite, name="fresh", more_tools=()):
    """try_suite(suite, folder): what is done with each, in a folder of its own, which is gone
    afterwards.  more_tools: pairs of a program and its package."""
    if os.geteuid() != 0:
        sys.exit("this needs root, for chroot and mounts")
    for tool, package in (("debootstrap", "debootstrap"), ("unshare", "util-linux"), ("git", "git"),
                          *more_tools):
        if not shutil.which(tool):
            sys.exit(f"{tool} is missing: apt-get install {package}")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended by SIGTERM"))
    failed = []
    for suite in suites:
        folder = tempfile.mkdtemp(prefix=f"uwsgi-{name}-{suite}-", dir=os.environ.get("FRESH_DIR"))
        os.chmod(folder, 0o755)
        try:
            try_suite(suite, folder)
            say(f"{suite}: passed")
        except (Failed, subprocess.TimeoutExpired) as e:
            say(f"{suite}: FAILED: {e}")
            failed.append(suite)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    sys.exit(f"failed: {' '.join(failed)}" if failed else 0)


if __name__ == "__main__":
    main(sys.argv[1:])
