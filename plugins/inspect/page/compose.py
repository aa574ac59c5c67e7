# SPDX-License-Identifier: MIT
"""Puts the live page together: index.html with the style sheet and the scripts that it names inside,
and the policy that lets a browser run these and nothing else. As a program it writes both as C.

usage: compose.py index.html > page.c"""

import base64
import hashlib
import os
import re
import sys

LINKS = {
    "style": re.compile(r'<link rel="stylesheet" href="([\w.]+)">'),
    "script": re.compile(r'<script src="([\w.]+)"></script>'),
}
# Nothing is loaded but what the page asks of the server that it is from.  The icon is a data: URL.
POLICY = (
    "default-src 'none'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)


def compose(index):
    """The page, and the value of its Content-Security-Policy."""
    folder, hashes = os.path.dirname(index), {kind: [] for kind in LINKS}

    def read(name):
        with open(os.path.join(folder, name), encoding="utf-8") as f:
            return f.read()

    def inline(kind, name):
        text = read(name)
        if re.search(r"</(script|style)|<!--", text, re.I):
            sys.exit(f"{name} holds what would end or hide it inside a page")
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        hashes[kind].append(f"'sha256-{digest}'")
        return f"<{kind}>{text}</{kind}>"

    page = read(os.path.basename(index))
    for kind, link in LINKS.items():
        page = link.sub(lambda found, kind=kind: inline(kind, found[1]), page)
    return page, "; ".join(
        [POLICY, *(f"{kind}-src {' '.join(each)}" for kind, each in hashes.items())]
    )


def literal(text):
    """A string of C, a line for each line; \\x would swallow digits behind it, so octal."""

    def quote(line):
        return "".join(
            chr(b) if 32 <= b < 127 and b not in b'"\\?' else f"\\{b:03o}" for b in line.encode()
        )

    return "\n".join(f'\t"{quote(line)}"' for line in text.splitlines(keepends=True))


if __name__ == "__main__":
    made = compose(sys.argv[1])
    print(
        f"/* Made from {os.path.basename(sys.argv[1])} by {os.path.basename(__file__)}. */\n"
        f'#include "page.h"\n\n'
        f"const char page_html[] =\n{literal(made[0])};\n"
        f"const size_t page_html_size = sizeof page_html - 1;\n"
        f"const char page_policy[] =\n{literal(made[1])};"
    )
