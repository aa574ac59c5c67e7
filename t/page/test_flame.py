# SPDX-License-Identifier: MIT
"""Profiles and stacks on the live page, in a real browser."""

import re
import threading

import pytest

from lib.wait import until

ONE = """GET /report;/app/app.py:call:1;/app/report.py:total:8 60
GET /report;/app/app.py:call:1;/app/report.py:rows:3;/app/report.py:rows:3 12
GET /report;/app/app.py:call:1;/app/report.py:rows:3;/app/report.py:rows:4 8
GET /hello;/app/app.py:call:1 20
"""
TWO = """GET /report;/app/app.py:call:1;/app/report.py:total:8 10
GET /report;/app/app.py:call:1;/app/report.py:rows:3;/app/report.py:rows:3 45
GET /hello;/app/app.py:call:1 45
[dropped] 0
"""


@pytest.fixture
def take(page, stand_in):
    """Takes a profile that says this."""

    def run(text, status=200):
        stand_in.answers["/profile"] = (status, "text/plain", text)
        before = len(page.texts("select[name=shown] option"))
        page.click("#profile-start")
        if status == 200:
            page.wait("#profile-says", "samples")
            assert len(page.texts("select[name=shown] option")) == before + 1

    return run


def frames(page):
    """{label: (x, width, fill)} of what is drawn."""
    return {
        label: (float(x), float(width), fill)
        for label, x, width, fill in page.run(
            """return [...document.querySelectorAll('#flame g')].map(g => { const r = g.querySelector('rect');
            return [g.getAttribute('aria-label'), ...['x', 'width', 'fill'].map(name => r.getAttribute(name))] })"""
        )
    }


def count(page):
    return len(page.texts("#flame g"))


def hot(page):
    return [tuple(re.split(r"\t", line)) for line in page.texts("#hot tbody tr")]


def test_a_frame_is_as_wide_as_its_share(page, stand_in, take):
    page.fill("seconds", "3")
    page.choose("worker", "2")
    take(ONE)
    assert stand_in.asked[-1] == "/profile?seconds=3&hz=99&worker=2"
    seen = frames(page)
    whole = seen["all: 100 %, 100 samples"][1]
    for label, share in {
        "GET /report: 80 %, 80 samples": 0.8,
        "/app/report.py:total, line 8: 60 %, 60 samples": 0.6,
        "GET /hello: 20 %, 20 samples": 0.2,
    }.items():
        assert abs(seen[label][1] / whole - share) < 0.005
    # Who calls itself is counted once.
    assert hot(page) == [
        ("60 %", "60 %", "total app/report.py, line 8"),
        ("20 %", "100 %", "call app/app.py, line 1"),
        ("20 %", "20 %", "rows app/report.py, lines 3, 4"),
    ]


def test_search_zoom_and_keys(page, take):
    take(ONE)
    page.fill("search", "ROWS")
    page.wait("#flame-frame", "found in 20 % of all")
    assert (
        page.run("return document.querySelectorAll('#flame rect[fill^=\"hsl(285\"]').length") == 2
    )
    page.run("document.querySelector('#flame [tabindex=\"0\"]').focus()")
    down, right, enter, escape = "\ue015", "\ue014", "\ue007", "\ue00c"
    page.keys(down)
    assert page.text("#flame-frame").startswith("GET /report: 80 %")
    page.keys(down, down, right, enter)  # total, beside rows
    whole = page.run("return document.querySelector('#flame').clientWidth")
    assert abs(frames(page)["/app/report.py:total, line 8: 60 %, 60 samples"][1] - whole) < 2
    assert page.run("return document.activeElement.getAttribute('aria-label')").startswith(
        "/app/report.py:total, line 8"
    )
    assert not page.run("return document.getElementById('flame-reset').disabled")
    page.keys(escape)
    assert count(page) == 8 and page.run("return document.getElementById('flame-reset').disabled")
    page.run("document.querySelectorAll('#flame g')[1].dispatchEvent(new MouseEvent('click'))")
    assert abs(frames(page)["GET /hello: 20 %, 20 samples"][1] - whole) < 2
    page.click("#flame-reset")
    assert count(page) == 8


def test_two_profiles_are_compared(page, take):
    take(TWO)
    take(ONE)
    older = page.run("return document.querySelector('select[name=base]').options[2].value")
    page.run(
        """const node = document.querySelector('select[name=base]'); node.value = arguments[0];
        node.dispatchEvent(new Event('change'))""",
        older,
    )
    seen = frames(page)
    red, blue = (
        seen["/app/report.py:total, line 8: 60 %, 10 % in the other"],
        seen["GET /hello: 20 %, 45 % in the other"],
    )
    assert red[2].startswith("hsl(8 90%") and blue[2].startswith("hsl(214 90%")
    assert abs(red[1] / blue[1] - 35 / 32.5) < 0.02  # as wide as on average
    assert hot(page)[0] == ("60 % (10 %)", "60 %", "total app/report.py, line 8")
    assert "Red ran more" in page.text("#flame-says")


def test_a_profile_is_saved_as_it_came(page, take):
    take(ONE)
    page.run("URL.createObjectURL = blob => (blob.text().then(text => { window.saved = text }), '#')")
    page.click("#flame-save")
    assert until(lambda: page.run("return window.saved"), "the file") == ONE


def test_what_cannot_be_had_is_said(page, take):
    take("a profile is under way\n", 409)
    page.wait("#profile-says", "No profile: a profile is under way")
    assert len(page.complaints()) == 1


def test_idle_servers_have_nothing_to_show(page, stand_in):
    stand_in.answers["/profile"] = (200, "text/plain", "")
    page.click("#profile-start")
    page.wait("#profile-says", "No request ran meanwhile")
    assert not page.text("#flame-view")


def test_the_button_beside_the_slow_one_shows_stacks(page, stand_in):
    stand_in.answers["/stacks"] = (
        200,
        "text/plain",
        "worker 1, lane 0: GET /report\n  report.py:8 total\n",
    )
    page.click("#ask-stacks")
    assert page.wait("#stacks-text", "report.py:8 total")
    assert page.run("return document.activeElement.id") == "profile-title"


def test_a_profile_can_be_given_up(page, stand_in):
    go = threading.Event()

    def answer(_):
        go.wait(20)
        return 200, "text/plain", ONE

    stand_in.answers["/profile"] = answer
    page.click("#ask-profile")
    page.wait("#profile-says", "looked at")
    assert page.run("return document.getElementById('profile-start').disabled")
    page.click("#profile-cancel")
    page.wait("#profile-says", "Cancelled.")
    go.set()
    assert not page.run("return document.getElementById('profile-start').disabled")
