# SPDX-License-Identifier: MIT
"""What MkDocs does besides for the site of docs/: pages that lie elsewhere in the tree, anchors as forges
make them, and a search that needs no server."""
import html
import json
import os
import re

from mkdocs.structure.files import File

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

# Pages outside docs/, and what they are called in the site.
OUTSIDE = {"BENCHMARKS.md": "BENCHMARKS.md", "CHANGELOG.md": "CHANGELOG.md",
           "CONTRIBUTING.md": "CONTRIBUTING.md", "t/README.md": "tests.md"}
# The examples of plugins, by a name that browsers show.
OUTSIDE.update((f"t/sdk/{n}", f"sdk/{n}.txt") for n in os.listdir(f"{ROOT}/t/sdk") if n.endswith(".c"))

# {address of a page: [(anchor, title, text)]}, a section each.
sections = {}


def slug(title, separator="-"):
    """The anchor of a heading, as forges make it: nothing but letters, digits, - and _."""
    return re.sub(r"[^\w\- ]", "", title.strip().lower()).replace(" ", separator)


def present(entry):
    """An entry of nav without the pages that are not there; None when nothing is left."""
    (title, below), = entry.items()
    if isinstance(below, str):
        there = below in OUTSIDE.values() or os.path.exists(f"{ROOT}/docs/{below}")
        return entry if there else None
    left = [e for e in map(present, below) if e]
    return {title: left} if left else None


def named(entries):
    for entry in entries:
        (below,) = entry.values()
        yield from [below] if isinstance(below, str) else named(below)


def on_config(config):
    sections.clear()
    config["mdx_configs"]["toc"] = {"slugify": slug}
    config["nav"] = [e for e in map(present, config["nav"]) if e]
    others = {n for n in os.listdir(f"{ROOT}/docs") if n.endswith(".md")} - set(named(config["nav"]))
    if others:
        config["nav"].append({"More": sorted(others)})
    return config


class Outside(File):
    """A file that lies elsewhere in the tree; a copy, beside the site, as it would stand in docs/."""

    def __init__(self, path, name, config):
        folder = config["site_dir"] + "-outside"
        os.makedirs(os.path.dirname(f"{folder}/{name}"), exist_ok=True)
        with open(f"{ROOT}/{path}", encoding="utf-8") as source, \
                open(f"{folder}/{name}", "w", encoding="utf-8") as copy:
            text = source.read()
            copy.write(moved(text, os.path.dirname(path)) if path.endswith(".md") else text)
        super().__init__(name, folder, config["site_dir"], config["use_directory_urls"])


def moved(text, folder):
    """Its links, seen from docs/."""
    def link(match):
        path = os.path.relpath(f"{ROOT}/{folder}/{match[1]}", f"{ROOT}/docs")
        return f"]({path}{match[2]})"
    return re.sub(r"\]\((?!\w+:)([^)#]+)((?:#[^)]*)?)\)", link, text)


def on_files(files, config):
    for path, name in OUTSIDE.items():
        files.append(Outside(path, name, config))
    return files


def on_page_markdown(markdown, **_):
    """Links to what lies outside docs/, of which only the text stays where the site does not have it.
    A block's name is written before it, and a list may follow its sentence without an empty line: both
    as on a forge."""
    for path, name in OUTSIDE.items():
        markdown = re.sub(rf"\]\(\.\./{re.escape(path)}(#[^)]*)?\)", rf"]({name}\1)", markdown)
    markdown = re.sub(r"\[([^\]]*)\]\(\.\./[^)]*\)", r"\1", markdown)
    markdown = re.sub(r"^```(\w+) (.+)$", r"`\2`:\n\n```\1", markdown, flags=re.M)
    return re.sub(r"^((?! |- |\||#|$).*\n)(?=- )", r"\1\n", markdown, flags=re.M)


def plain(markup):
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", markup)).split())


def on_page_content(content, page, **_):
    parts = re.split(r'<h[123] id="([^"]*)">(.*?)</h[123]>', content)
    sections[page.url] = [(anchor, plain(title), plain(body)) for anchor, title, body in
                          zip(parts[1::3], parts[2::3], parts[3::3])]
    # A wide table scrolls by itself on a phone.
    return re.sub(r"(<table>.*?</table>)", r'<div class="wide">\1</div>', content, flags=re.S)


def on_post_build(config):
    """As a script: pages that are read from a disk may not fetch()."""
    rows = [[f"{url}#{anchor}", title, text] for url, found in sorted(sections.items())
            for anchor, title, text in found]
    with open(os.path.join(config["site_dir"], "index.js"), "w", encoding="utf-8") as f:
        f.write("const sections = " + json.dumps(rows, ensure_ascii=False) + ";\n")
