# SPDX-License-Identifier: MIT
"""The site of docs/: each page is in it, each link and anchor leads somewhere, nothing is fetched."""
import glob
import html.parser
import os
import re

import pytest

from lib import site as sites
from lib.server import ROOT

VOID = {"meta", "link", "input", "img", "br", "hr"}


class Page(html.parser.HTMLParser):
    """links: what it names; resources: what a browser loads for it; anchors; text: without code."""

    def __init__(self, path):
        super().__init__()
        self.links, self.resources, self.anchors, self.text, self.within = [], [], set(), "", []
        with open(path, encoding="utf-8") as f:
            self.feed(f.read())

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        if tag not in VOID:
            self.within.append(tag)
        self.anchors.add(attrs.get("id"))
        if tag == "a":
            self.links.append(attrs["href"])
        elif "src" in attrs or tag == "link":
            self.resources.append(attrs.get("src") or attrs["href"])

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.within.pop() == tag, f"{tag} ends in the wrong place"

    def handle_data(self, data):
        if not {"code", "script"} & set(self.within):
            self.text += data


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    if sites.missing():
        pytest.skip(sites.missing())
    folder = sites.build(tmp_path_factory.mktemp("docs"))
    return folder, {os.path.basename(p): Page(p) for p in glob.glob(f"{folder}/*.html")}


def test_every_page_is_in_it(site):
    names = {n[:-3] for n in os.listdir(f"{ROOT}/docs") if n.endswith(".md")} - {"README"}
    assert {f"{n}.html" for n in names | {"index"}} <= set(site[1])
    first = site[1]["index.html"]
    assert "More" not in first.text, "a page is not in the nav of buildconf/site/mkdocs.yml"


def test_every_link_leads_somewhere(site):
    folder, pages = site
    wrong = []
    for name, page in pages.items():
        for link in page.links:
            path, _, anchor = link.partition("#")
            if re.match(r"\w+:", path):
                continue
            there = os.path.exists(os.path.join(folder, path or name))
            if not there or anchor and anchor not in pages[path or name].anchors:
                wrong.append(f"{name}: {link}")
    assert wrong == []


def test_nothing_is_fetched_from_elsewhere(site):
    folder, pages = site
    for name, page in pages.items():
        assert page.resources, name
        assert [r for r in page.resources if not os.path.exists(f"{folder}/{r}")] == [], name
    for name in ("site.css", "search.js"):
        with open(f"{folder}/{name}", encoding="utf-8") as f:
            assert not re.search(r"https?:|@import|url\(|fetch\(", f.read())


def test_no_markup_is_left_over(site):
    """Tables, lists and blocks that a forge understands, MkDocs has understood, too."""
    for name, page in site[1].items():
        assert not re.search(r"\|-|^- |^\| |```|\]\(", page.text, re.M), name
