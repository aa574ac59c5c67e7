# SPDX-License-Identifier: MIT
"""Pages of docs/ that are followed from the first line to the last."""
import shutil

import pytest

from lib.console import Console


@pytest.mark.parametrize("page", ["first-steps.md", "sizing.md"])
def test_what_the_page_says_happens(folder, page):
    if not shutil.which("curl"):
        pytest.skip("curl is not installed")
    console = Console(folder)
    try:
        console.follow(page)
    finally:
        console.end()
