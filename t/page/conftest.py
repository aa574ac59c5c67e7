# SPDX-License-Identifier: MIT
"""A real browser for the live page: Debian's chromium, led by python3-selenium. Where these are not
installed the tests are skipped; `make page-check` installs them."""

import os
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
DRIVER = "/usr/bin/chromedriver"
# Root in a container has no sandbox to give, and little /dev/shm.
ARGUMENTS = [
    "--headless=new",
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--no-proxy-server",
    "--hide-scrollbars",
    "--no-first-run",
    "--disable-background-networking",
]


@pytest.fixture(scope="session")
def chromium():
    webdriver = pytest.importorskip(
        "selenium.webdriver", reason="python3-selenium is not installed"
    )
    if not os.path.exists(DRIVER):
        pytest.skip("chromium-driver is not installed")
    options = webdriver.ChromeOptions()
    for argument in ARGUMENTS:
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(service=webdriver.chrome.service.Service(DRIVER), options=options)
    yield driver
    driver.quit()


@pytest.fixture
def browser(chromium):
    """Wide and light before each test; console errors that nobody has asked for fail it."""
    from screen import Screen

    screen = Screen(chromium)
    screen.size(1600)
    screen.scheme("light")
    yield screen
    chromium.get("about:blank")
    assert not screen.complaints()


@pytest.fixture
def stand_in():
    from stand_in import StandIn

    servers = [StandIn()]
    yield servers[0]
    servers[0].end()


@pytest.fixture
def page(browser, stand_in):
    """The page, with the first event of the stand-in shown."""
    return browser.open(stand_in.address)
