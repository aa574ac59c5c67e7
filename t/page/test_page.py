# SPDX-License-Identifier: MIT
"""The live page in a real browser: what it shows of given events, and that nothing of them can do
anything but be shown."""

import pytest

from lib.wait import until

from stand_in import INDEX, STARTED, StandIn, compose, first_event, lane, slow, worker

SHIFT, TAB = "\ue008", "\ue004"
HOSTILE = [
    "<img src=x onerror=\"document.title='owned'\">",
    "</script><script>document.title='owned'</script>",
    "javascript:document.title='owned'",
    "'\"><svg onload=document.title='owned'>",
    "&lt;b&gt;",
    "\u202egnp.exe",
    "${1+1}{{1}}",
]


def test_it_is_one_small_file_with_a_strict_policy():
    page, policy = compose(INDEX)
    assert len(page.encode()) < 60_000
    assert "src=" not in page.split("<body>")[1].split("<script>")[0]
    assert not any(
        word in page
        for word in (
            '<link rel="stylesheet',
            "innerHTML",
            "insertAdjacent",
            "document.write",
            "eval(",
        )
    )
    assert policy.startswith("default-src 'none'; ")
    for part in (
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "connect-src 'self'",
        "style-src 'sha256-",
        "script-src 'sha256-",
    ):
        assert part in policy
    assert "unsafe" not in policy


def test_the_first_event_is_shown_whole(page):
    assert page.text("header") == "uwsgi 1.0 serving generation 1, up 1 min 40 s Live"
    assert page.text("#totals") == (
        "Since the start: 12,345 requests, 0 × 1xx, 12,000 × 2xx, 300 × 3xx, 42 × 4xx, 3 × 5xx, "
        "3 failed, 2 clients gone before the end, 5 GiB sent"
    )
    assert page.texts("#workers h3") == ["Worker 1", "Worker 2"]
    assert (
        page.text(".worker")
        == "Worker 1 serving pid 4101, generation 1, 1,000 requests, 20 MiB, for 1 min 39 s 2 idle lanes"
    )
    assert page.text("#now-more") == "No request runs."
    assert page.text("#slow-more") == "No request was slow so far."
    assert page.text("#sockets") == "0 http 127.0.0.1:8000 of 100 places in its queue are taken"
    assert page.chart("Time in the application") == {"p99": "90 ms", "p95": "5 ms", "p50": "5 ms"}
    assert page.chart("Lanes at work") == {"busy": "0", "of": "4"}
    assert page.chart("Memory of the workers") == {"": "40 MiB"}


def test_rates_and_percentiles_are_of_what_came_since(page, stand_in):
    stand_in.say(
        2,
        requests=12345 + 300,
        classes=[0, 12200, 300, 42, 103],
        hist={
            "run": [
                [1000, 6000],
                [2000, 6150],
                [5000, 12150],
                [90000, 12345 + 150],
                [400000, 12345 + 300],
            ]
        },
    )
    page.wait("#charts", "150/s")
    assert page.chart("Requests") == {"": "150/s"}
    # 150 at or under 2 ms, 150 between 90 and 400.
    assert page.chart("Time in the application") == {"p99": "400 ms", "p95": "400 ms", "p50": "2 ms"}
    assert page.chart("Answers by status") == {
        "5xx": "50/s",
        "4xx": "0/s",
        "3xx": "0/s",
        "2xx": "100/s",
    }
    assert page.driver.title == "serving · 150/s · uwsgi"
    # A server that was started again counts from nothing.
    stand_in.say(
        1, requests=5, classes=[0, 5, 0, 0, 0], started=STARTED + 102, hist={"run": [[1000, 5]]}
    )
    page.wait("#totals", ": 5 requests")
    assert page.chart("Requests") == {"": "–"}
    assert page.chart("Time in the application")["p99"] == "1 ms"


def test_the_slowest_stands_first(page, stand_in):
    stand_in.say(
        workers=[
            worker(1, [lane(0, 40, "/quick"), lane(1, 65000, "/report?year=2024")]),
            worker(2, [lane(0), lane(1, 1500, "/upload", "POST")]),
        ],
        slow=[
            slow(10, "/search?q=1", 1200),
            slow(20, "/user/17/report", 2000),
            slow(30, "/user/18/report?x", 3000, status=500),
        ],
    )
    page.wait("#now", "/upload")
    assert page.texts("#now .time") == ["1 min 05 s", "1.5 s"]
    assert page.texts("#now .text") == ["GET /report?year=2024", "POST /upload"]
    assert page.text("#now-more") == "and 1 more"
    assert page.texts("#slow summary .text") == ["GET /user/*/report", "GET /search"]
    assert "2 × slow, 2.5 s on average" in page.text("#slow summary")
    page.click("#slow summary")
    assert page.texts("#slow details[open] .rows .text") == [
        "GET /user/18/report?x",
        "GET /user/17/report",
    ]
    assert "status 500, waited 2 ms before, sent in 1 ms, worker 1, lane 0" in page.text(
        "#slow details[open] .rows"
    )
    # It stays unfolded, and the focus where it is, while the numbers go on.
    stand_in.say(slow=[slow(31, "/search?q=2", 90000), *stand_in.state["slow"]])
    page.wait("#slow summary", "GET /search")
    assert page.texts("#slow details[open] > summary .text") == ["GET /user/*/report"]
    assert "/user/*/report" in page.run("return document.activeElement.innerText")


def test_a_reload_shows_both_generations(page, stand_in):
    stand_in.say(
        state="reloading",
        workers=[
            worker(1, [lane(0)], state="leaving"),
            worker(2, [lane(0)], state="leaving"),
            worker(1, [lane(0)], 2, "starting"),
            worker(2, [lane(0)], 2, "serving"),
        ],
    )
    page.wait("#state", "reloading")
    assert (
        page.text("#generations") == "generation 1: 2 leaving; generation 2: 1 starting, 1 serving"
    )
    assert len(page.texts(".worker")) == 4
    stand_in.say(
        state="serving", generation=2, workers=[worker(1, [lane(0)], 2), worker(2, [lane(0)], 2)]
    )
    page.wait("#state", "serving")
    assert page.text("#generations") == "generation 2: 2 serving"
    assert page.run("return document.querySelector('.mark').getAttribute('d')").startswith("M300.0")


def test_what_the_server_says_is_text_and_nothing_else(page, stand_in):
    before = page.run("return document.querySelectorAll('img, script, svg, a, b, iframe').length")
    stand_in.say(
        version=HOSTILE[0],
        workers=[worker(1, [lane(i, 200 + i, uri, uri) for i, uri in enumerate(HOSTILE)])],
        slow=[slow(i, uri, 1000 + i, uri) for i, uri in enumerate(HOSTILE)],
        log=[{"at": STARTED + i, "text": text} for i, text in enumerate(HOSTILE)],
        sockets=[{"name": text, "protocol": text, "queue": 1, "max_queue": 1} for text in HOSTILE],
    )
    page.wait("#log", "{{1}}")
    for text in HOSTILE:
        for where in ("#log", "#now", "#slow", "#sockets", ".worker"):
            assert text in page.run(
                "return document.querySelector(arguments[0]).textContent", where
            ), where
    stand_in.answers["/stacks"] = (500, "text/html", HOSTILE[0])
    stand_in.answers["/profile"] = (
        200,
        "text/plain",
        "".join(f"{text.replace(';', '')};{text.replace(';', '')} 7\n" for text in HOSTILE),
    )
    page.click("#stacks")
    page.wait("#stacks-text", HOSTILE[0])
    page.click("#profile-start")
    page.wait("#profile-says", "49 samples")
    after = page.run("return document.querySelectorAll('img, script, svg, a, b, iframe').length")
    assert after == before + 1  # the flame graph
    assert page.driver.title.endswith("uwsgi")
    assert len(page.complaints()) == 1  # the answer 500


def test_lines_that_say_the_same_are_one(page, stand_in):
    trace = "exception in GET /x\nTraceback (most recent call last):\n  File"
    assert page.text("#log-more") == "No warnings so far."
    lines = [{"at": STARTED + n, "text": trace if n % 2 else "the queue is full"} for n in range(9)]
    stand_in.say(log=[*lines, {"at": STARTED + 3.5, "text": "one more"}])
    page.wait("#log", "one more")
    assert page.texts("#log .text") == ["the queue is full", "exception in GET /x", "one more"]
    assert "5 times since" in page.text("#log > :first-child")
    assert page.text("#log summary").endswith(", 3 lines")
    page.click("#log summary")
    assert page.run("return document.querySelector('#log details[open] pre').textContent") == trace
    stand_in.say(log=[{"at": STARTED + n, "text": str(n)} for n in range(64)])
    page.wait("#log-more", "and 44 more")
    assert page.texts("#log .text")[:2] == ["63", "62"]


def test_a_list_may_have_the_same_key_twice(page, stand_in):
    for n in (2, 3, 2):
        stand_in.say(sockets=[{"name": "x", "protocol": "http", "queue": n, "max_queue": 9}] * n)
        page.wait("#sockets", f"{n} http x")
        assert len(page.texts("#sockets li")) == n


def test_an_emperors_vassals_lead_to_their_own_pages(page, stand_in):
    assert page.run("return document.getElementById('vassals-section').hidden")
    one = {"folder": "/etc/vassals", "respawns": 0, "started": STARTED + 2.0}
    stand_in.say(
        vassals=[
            {**one, "name": "a.ini", "state": "serving", "pid": 7, "ready": STARTED + 50.0,
             "inspect": "127.0.0.1:9090"},
            {**one, "name": "b.ini", "state": "waiting", "pid": 0, "again": STARTED + 130.0,
             "respawns": 3, "why": "ended while it started: exit code 22"},
            {**one, "name": "c.ini", "state": "starting", "pid": 9, "inspect": "/run/c.sock"},
            {**one, "name": "d.ini", "state": "serving", "pid": 10, "inspect": ":9091"},
            {**one, "name": "e.ini", "state": "serving", "pid": 11, "inspect": "x/#:9092"},
        ]
    )
    page.wait("#vassals", "e.ini")
    assert [" ".join(text.split()) for text in page.texts("#vassals li")[:3]] == [
        "a.ini serving /etc/vassals, pid 7, for 51 s",
        "b.ini waiting /etc/vassals, no process, 3 respawns, again in 29 s "
        "ended while it started: exit code 22",
        "c.ini starting /etc/vassals, pid 9, for 1 min 39 s, /run/c.sock",
    ]
    links = page.run("return [...document.querySelectorAll('#vassals a')].map(a => a.href)")
    host = page.run("return location.hostname")
    assert links == ["http://127.0.0.1:9090/", f"http://{host}:9091/"]


def test_the_policy_holds_in_the_browser(page):
    page.run(
        """document.body.append(Object.assign(document.createElement('script'), {textContent: 'document.title = "owned"'}));
        document.body.append(Object.assign(document.createElement('p'), {id: 'styled'}));
        document.getElementById('styled').setAttribute('style', 'position: fixed')"""
    )
    assert page.driver.title != "owned"
    assert (
        page.run("return getComputedStyle(document.getElementById('styled')).position") == "static"
    )
    assert len(page.complaints()) == 2


def test_it_comes_back_when_the_server_does(browser, stand_in):
    page = browser.open(stand_in.address)
    stand_in.end()
    page.wait("#link", "No connection since")
    again = StandIn(
        {**first_event(), "requests": 777, "log": [{"at": STARTED, "text": "killed"}]},
        stand_in.server_port,
    )
    try:
        page.wait("#link", "Live")
        assert "777 requests" in page.text("#totals") and "killed" in page.text("#log")
        page.leave()
    finally:
        again.end()
    assert all("ERR_" in message for message in page.complaints())


def test_a_connection_that_says_nothing_is_given_up(browser, stand_in):
    stand_in.silent = True
    # Twenty times as fast as the page means it.
    faster = browser.driver.execute_cdp_cmd(
        "Page.addScriptToEvaluateOnNewDocument",
        {"source": "const real = setTimeout; window.setTimeout = (f, ms) => real(f, ms / 20)"},
    )
    try:
        browser.driver.get(f"http://{stand_in.address}/")
        browser.wait("#link", "No connection since")
        until(lambda: stand_in.asked.count("/events") > 1, "another connection")
    finally:
        browser.driver.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", faster)


def test_nothing_is_read_out_that_has_not_changed(page, stand_in):
    page.run(
        """window.changes = 0;
        for (const node of document.querySelectorAll('[role=status], [aria-live]'))
            new MutationObserver(() => window.changes++).observe(node, {childList: true, characterData: true, subtree: true})"""
    )
    for n in range(3):
        stand_in.say(requests=13000 + n)
        page.wait("#totals", f"13,00{n} requests")
    assert page.run("return [window.changes, document.getAnimations().length]") == [0, 0]


def test_the_arrow_keys_show_what_was(page, stand_in):
    for n in range(1, 6):
        stand_in.say(requests=12345 + sum(range(n + 1)))
    # Not any "5/s" of the charts, whose axes have some, too.
    until(lambda: page.chart("Requests") == {"": "5/s"}, "the last event")
    page.run("document.querySelector('.chart').focus()")
    page.keys("\ue012", "\ue012")  # left
    assert page.chart("Requests") == {"": "3/s"}
    assert page.text("#cursor").startswith("at ")
    assert "3/s" in page.run("return document.activeElement.getAttribute('aria-valuetext')")
    page.keys("\ue00c")  # escape
    assert page.chart("Requests") == {"": "5/s"} and page.text("#cursor") == ""
    # Who listens is not told a new number each second.
    told = page.run("return document.activeElement.outerHTML.split('>')[0]")
    stand_in.say(requests=20000)
    page.wait("#totals", "20,000 requests")
    assert page.run("return document.activeElement.outerHTML.split('>')[0]") == told


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 800, 1600])
def test_it_is_legible_at_every_width(browser, stand_in, width, scheme):
    long = "/a" + "b" * 300
    stand_in.state.update(
        state="reloading",
        slow=[slow(1, long, 30000), slow(2, "/x", 1100)],
        log=[{"at": STARTED, "text": "w" * 300}],
        workers=[
            worker(1, [lane(0, 20000, long), lane(1, 1500, "/x?" + "y=z&" * 60)]),
            worker(2, [lane(0)], 2, "starting"),
        ],
        sockets=[{"name": "/run/" + "s" * 90, "protocol": "uwsgi", "queue": 90, "max_queue": 100}],
    )
    stand_in.answers["/profile"] = (
        200,
        "text/plain",
        f"GET /x;{'m' * 200}.py:f:1;b.py:g:2 90\nGET /x;c.py:h:3 60\n",
    )
    stand_in.answers["/stacks"] = (200, "text/plain", "worker 1 " + "w" * 300 + "\n")
    browser.size(width)
    browser.scheme(scheme)
    page = browser.open(stand_in.address)
    page.click("#stacks")
    page.click("#profile-start")
    page.wait("#profile-says", "150 samples")
    page.run(
        "document.querySelector('#slow details').open = true; profiles.flame.zoom(profiles.flame.root.children[0])"
    )
    # The page never scrolls sideways, and no text runs out of its card.
    assert page.run("return document.documentElement.scrollWidth") == width
    assert (
        page.run(
            """return [...document.querySelectorAll('section *')].filter(n => !n.closest('svg, pre') &&
        n.getClientRects().length && n.getBoundingClientRect().right > n.closest('section').getBoundingClientRect().right)
        .map(n => n.outerHTML.slice(0, 80))"""
        )
        == []
    )
    seen = page.contrast()
    assert len(seen) > 60 and seen[0][0] >= 4.5, seen[:5]
    page.choose(
        "base", page.run("return document.querySelector('select[name=base]').options[1].label")
    )
    assert page.contrast()[0][0] >= 4.5


def tab_through(page, keys):
    """[name, whether the focus can be seen, whether the head of the page hides it] of each element."""
    while True:
        page.keys(keys)
        now = page.run(
            """const node = document.activeElement; if (node === document.body) return null;
            const outline = getComputedStyle(node).outlineStyle, frame = node.querySelector('rect');
            return [node.id || node.name || node.getAttribute('aria-label') || node.tagName,
                outline !== 'none' || frame && getComputedStyle(frame).stroke !== 'none',
                node.getBoundingClientRect().top < document.querySelector('header').getBoundingClientRect().bottom]"""
        )
        if now is None:
            return
        yield now
        if now[0] in ("stacks-text", "ask-stacks"):
            return


def test_all_of_it_can_be_reached_by_keyboard_and_has_a_name(page, stand_in):
    stand_in.say(slow=[slow(1, "/x", 2000)])
    page.wait("#slow", "GET /x")
    stand_in.answers["/profile"] = (200, "text/plain", "GET /x;a.py:f:1 9\n")
    stand_in.answers["/stacks"] = (200, "text/plain", "worker 1\n")
    page.click("#stacks")
    page.click("#profile-start")
    page.wait("#profile-says", "9 samples")
    page.run("document.getElementById('ask-stacks').focus()")
    reached = list(tab_through(page, TAB))
    names = [name for name, *_ in reached]
    assert names[:3] == ["ask-profile", "SUMMARY", "Requests"]
    for name in (
        "seconds",
        "hz",
        "worker",
        "profile-start",
        "stacks",
        "shown",
        "base",
        "search",
        "flame-save",
        "all: 100 %, 9 samples",
        "stacks-text",
    ):
        assert name in names
    back = list(tab_through(page, SHIFT + TAB))
    assert back[-1][0] == "ask-stacks" and len(back) == len(reached)
    assert [name for name, outlined, hidden in reached + back if not outlined or hidden] == []
    for node in page.driver.find_elements(
        "css selector", "button, input, select, summary, [tabindex='0']"
    ):
        if node.is_displayed():
            assert node.accessible_name, node.get_attribute("outerHTML")
