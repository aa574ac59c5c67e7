#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""How long the live page takes until it shows numbers, in Chromium, counted from when it is opened.

usage: t/bench/page.py [--times N]"""
import argparse
import os
import shutil
import statistics
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
sys.dont_write_bytecode = True
from lib import browser  # noqa: E402
from lib.server import Server  # noqa: E402
from lib.starter import make_folder  # noqa: E402
from lib.wait import until  # noqa: E402

INI = "http-socket = {http}\nmodule = basic\nprocesses = 4\nthreads = 4\ninspect = {inspect}\n"
# In the page, before its own scripts: when its head first says in which state the server is.
WITNESS = """new MutationObserver((_, it) => {
    if (!document.getElementById("totals")?.textContent) return;
    window.shownAfter = performance.now();
    it.disconnect();
}).observe(document, {subtree: true, childList: true, characterData: true})"""


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
    if browser.missing():
        sys.exit(f"{browser.missing()}; `make page-check` installs it")
    found = list(measure(parser.parse_args().times))
    print("ms until the page shows numbers:", " ".join(f"{ms:.0f}" for ms in found))
    print(f"median: {statistics.median(found):.0f}")


if __name__ == "__main__":
    main()
