# SPDX-License-Identifier: MIT
"""A short run of connections.py: what it would take hours to find is not for this one."""
import os
import random
import signal

import pytest

from lib import proc
from lib.hostile import WAYS, Siege, plan

ROUNDS = 8
SEED = 11


@pytest.mark.parametrize("way", WAYS)
def test_connections_that_send_anything_harm_nobody(no_process_left, folder, started, way):
    siege = Siege(way, SEED, folder)
    started.append(siege.server)
    siege.run(0, ROUNDS, 30)
    assert siege.end() == []


def test_a_worker_that_ends_is_a_finding(no_process_left, folder, started):
    siege = Siege("http-socket", SEED, folder)
    started.append(siege.server)
    victim = siege.server.workers()[0]
    os.kill(victim, signal.SIGKILL)
    proc.wait_gone(victim)
    assert [f for f in siege.run(0, 1, 30).findings if str(victim) in f]


@pytest.mark.parametrize("way", WAYS)
def test_the_same_seed_does_the_same(way):
    def steps():
        rng = random.Random(SEED)
        return [plan(rng, WAYS[way].sequence(rng)) for _ in range(5)]
    assert steps() == steps()
