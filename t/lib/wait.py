# SPDX-License-Identifier: MIT
"""Waiting for something that can be looked at, never for a length of time."""
import time

TURN_S = 0.005


def until(condition, what, seconds=10):
    """Returns the first true value of condition(); fails when there is none in time."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"waited {seconds} s in vain for {what}")
        time.sleep(TURN_S)
