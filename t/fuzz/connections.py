#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A fuzzer of whole connections, over real sockets, against ./uwsgi: valid requests, damaged, cut
into pieces, with pauses and resets.  Exit code 1: a process died, a sanitizer spoke, an honest
client was not answered, or something stayed behind.

    make fuzz FUZZ_SECONDS=60                    all parsers, then each way for so long
    t/fuzz/connections.py --seconds 60           the ways alone, against the build that is there
    t/fuzz/connections.py --way http --seed 7 --first 120 --rounds 10    a finding once more"""
import argparse
import os
import shutil
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.dont_write_bytecode = True

from lib import proc  # noqa: E402
from lib.hostile import WAYS, Siege  # noqa: E402


def one_way(way, how):
    """True when there was nothing to find."""
    folder = tempfile.mkdtemp(prefix="uwsgi-fuzz-")
    siege = Siege(way, how.seed, folder)
    try:
        siege.run(how.first, how.rounds, how.seconds)
    finally:
        findings = siege.end()
    print(f"{way}: {siege.rounds} rounds, {siege.connections} connections, "
          f"{siege.honest.answered} honest answers, {len(findings)} findings", flush=True)
    if not findings:
        shutil.rmtree(folder)
        return True
    last = how.first + siege.rounds - 1
    print(*findings, f"again: --way {way} --seed {how.seed} --first {max(0, last - 5)} --rounds 6; "
          f"the log is in {folder}", sep="\n", flush=True)
    return False


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--way", choices=WAYS, action="append", help="this one; without it, all")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--seconds", type=float, default=20, help="for each way")
    parser.add_argument("--first", type=int, default=0, help="the number of the first round")
    parser.add_argument("--rounds", type=int, default=10**9, help="how many at most")
    how = parser.parse_args()
    print(f"connections with seed {how.seed}", flush=True)
    proc.adopt_orphans()
    good = [one_way(way, how) for way in how.way or WAYS]
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
