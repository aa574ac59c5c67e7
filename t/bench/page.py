#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""How long the live page takes until it shows numbers, in Chromium, counted from when it is opened.

usage: t/bench/page.py [--times N] [--markdown BENCHMARKS.md]

--markdown replaces the section of that file."""
import argparse
import os
import shutil
import statistics
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
sys.dont_write_bytecode = True
sys.path.insert(0, HERE)
import report  # noqa: E402
from lib import browser  # noqa: E402
from lib.server import Server  # noqa: E402
from lib.starter import make_folder  # noqa: E402
from lib.wait import until  # noqa: E402

INI = "http-socket = {http}\nmodule = basic\nprocesses = 4\nthreads = 4\ninspect = {inspect}\n"
# In the page, before its own scripts: when it first says how many requests there were.
WITNESS = """new MutationObserver((_, it) => {
    if (!document.getElementById("totals")?.textContent) return;
    window.shownAfter = performance.now();
    it.disconnect();
}).observe(document, {subtree: true, childList: true, characterData: true})"""


TEXT = """
Made by `t/bench/page.py --markdown BENCHMARKS.md`. From when the page is opened in Chromium to its first numbers,
of a server with four workers of four threads: {median:.0f} ms, the median of {each}.
"""


def measure(times):
    folder = make_folder()
    server = Server(folder, INI)
    driver = browser.launch()
    try:
        server.start()
        server.wait_log(r"^inspect 1 \(pid \d+\) runs$")
        driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": WITNESS})
        for _ in range(times):
            driver.get("about:blank")
            driver.get(f"http://{server.inspect}/")
            yield until(lambda: driver.execute_script("return window.shownAfter"), "numbers")
    finally:
        driver.quit()
        server.end()
        shutil.rmtree(folder)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=7)
    parser.add_argument("--markdown")
    if browser.missing():
        sys.exit(f"{browser.missing()}; `make page-check` installs it")
    options = parser.parse_args()
    found = list(measure(options.times))
    each = ", ".join(f"{ms:.0f}" for ms in found)
    print(f"{statistics.median(found):.0f} ms until the page shows numbers, median of {each}")
    if options.markdown:
        report.write_section(options.markdown, "The live page",
                             TEXT.format(median=statistics.median(found), each=each))


if __name__ == "__main__":
    main()
