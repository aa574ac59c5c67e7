# SPDX-License-Identifier: MIT
"""A browser for the tests of the live page, which are skipped where there is none: `make page-check`
installs it."""

import os
import sys

import pytest

from lib import browser as browsers

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))


@pytest.fixture(scope="session")
def chromium():
    if browsers.missing():
        pytest.skip(browsers.missing())
    driver = browsers.launch()
    yield driver
    driver.quit()


@pytest.fixture
def browser(chromium):
    """Wide and light before each test; an error of the console that nobody has asked for fails it."""
    screen = browsers.Screen(chromium)
    screen.size(1600)
    screen.scheme("light")
    yield screen
    screen.leave()
    assert not screen.complaints()


@pytest.fixture
def stand_in(browser):
    from stand_in import StandIn

    server = StandIn()
    yield server
    browser.leave()
    server.end()


@pytest.fixture
def page(browser, stand_in):
    """The page, with the first event of the stand-in shown."""
    return browser.open(stand_in.address)
