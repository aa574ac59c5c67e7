# SPDX-License-Identifier: MIT
"""A real browser, Debian's chromium led by python3-selenium: what its user sees and does."""

import os

from lib.wait import until

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


def missing():
    """Why there is none here, or None."""
    try:
        import selenium.webdriver  # noqa: F401
    except ImportError:
        return "python3-selenium is not installed"
    return None if os.path.exists(DRIVER) else "chromium-driver is not installed"


def launch():
    """The caller says quit()."""
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    for argument in ARGUMENTS:
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    return webdriver.Chrome(service=webdriver.chrome.service.Service(DRIVER), options=options)


class Screen:
    def __init__(self, driver):
        self.driver = driver

    def size(self, width, height=1000):
        self.driver.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False},
        )

    def scheme(self, name):
        self.driver.execute_cdp_cmd(
            "Emulation.setEmulatedMedia",
            {"features": [{"name": "prefers-color-scheme", "value": name}]},
        )

    def open(self, address):
        """The page at this address, once it shows numbers."""
        self.driver.get(f"http://{address}/")
        self.wait("#link", "Live")
        return self

    def leave(self):
        """Before its server ends: a page that is left asks for nothing more, so nothing can fail."""
        self.driver.get("about:blank")

    def run(self, script, *arguments):
        return self.driver.execute_script(script, *arguments)

    # ---- what is seen ----

    def text(self, selector):
        """The visible text of an element, its lines joined by blanks; "" when there is none."""
        return " ".join(
            self.run(
                "const node = document.querySelector(arguments[0]);"
                "return node?.getClientRects().length ? node.innerText : ''",
                selector,
            ).split()
        )

    def texts(self, selector):
        return self.run(
            "return [...document.querySelectorAll(arguments[0])].map(n => n.innerText)", selector
        )

    def wait(self, selector, part):
        def look():
            text = self.text(selector)
            return part in text and text

        try:
            return until(look, selector)
        except AssertionError as e:
            raise AssertionError(f"{e} to say {part!r}: it says {self.text(selector)!r}") from None

    def chart(self, name):
        """{"p99": "90 ms", …} of the chart with this heading; "" is the only series."""
        return dict(
            self.run(
                """return [...document.querySelectorAll('.chart')]
            .filter(n => n.querySelector('h3').textContent === arguments[0])
            .flatMap(n => [...n.querySelectorAll('.key')]).map(n =>
                [n.firstChild.data?.trim() ?? '', n.querySelector('b').textContent])""",
                name,
            )
        )

    def contrast(self):
        with open(f"{os.path.dirname(__file__)}/contrast.js", encoding="utf-8") as f:
            return self.run(f.read())

    def complaints(self):
        """Errors and warnings of the console since the last call."""
        return [
            entry["message"]
            for entry in self.driver.get_log("browser")
            if entry["level"] in ("SEVERE", "WARNING")
        ]

    # ---- what is done ----

    def click(self, selector):
        node = self.driver.find_element("css selector", selector)
        self.run("arguments[0].scrollIntoView({block: 'center'})", node)
        node.click()

    def keys(self, *keys):
        for key in keys:
            self.driver.switch_to.active_element.send_keys(key)

    def choose(self, name, label):
        """An option of a select element."""
        self.run(
            """const node = document.querySelector(`select[name=${arguments[0]}]`);
            node.value = [...node.options].find(one => one.label === arguments[1]).value;
            node.dispatchEvent(new Event('change'))""",
            name,
            label,
        )

    def fill(self, name, value):
        node = self.driver.find_element("css selector", f"input[name={name}]")
        node.clear()
        node.send_keys(value)
