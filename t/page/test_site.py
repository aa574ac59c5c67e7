# SPDX-License-Identifier: MIT
"""The site of docs/ in a browser, from a disk."""
import os

import pytest

from lib import site as sites
from lib.wait import until


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    if sites.missing():
        pytest.skip(sites.missing())
    return sites.build(tmp_path_factory.mktemp("docs"))


def test_a_search_without_a_server(site, browser):
    driver = browser.driver
    driver.get(f"file://{site}/index.html")
    box = driver.find_element("id", "search")
    box.send_keys("harakiri")
    found = until(lambda: driver.find_elements("css selector", "#found a"), "what is found")
    first = found[0].get_attribute("href")
    found[0].click()
    until(lambda: driver.current_url == first, "the page")
    assert driver.find_element("id", first.partition("#")[2]).is_displayed()
    box = driver.find_element("id", "search")
    box.send_keys("nosuchwordanywhere")
    until(lambda: "Nothing" in driver.find_element("id", "found").text, "what is not found")


def test_readable_on_a_phone(site, browser):
    """No page is wider than the screen; tables and blocks scroll by themselves."""
    browser.size(375, 700)
    wide = {}
    for name in sorted(n for n in os.listdir(site) if n.endswith(".html")):
        browser.driver.get(f"file://{site}/{name}")
        width = browser.driver.execute_script("return document.documentElement.scrollWidth")
        if width > 375:
            wide[name] = width
    assert wide == {}
