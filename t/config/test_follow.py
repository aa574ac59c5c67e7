# SPDX-License-Identifier: MIT
"""Pages of docs/ that are followed from the first line to the last."""
import shutil

import pytest

from lib.console import Console


@pytest.mark.parametrize("page", ["first-steps.md", "sizing.md", "performance.md"])
def test_what_the_page_says_happens(folder, page):
    program = "wrk" if page == "performance.md" else "curl"
    if not shutil.which(program):
        pytest.skip(f"{program} is not installed")
    console = Console(folder)
    try:
        console.follow(page)
    finally:
        console.end()
