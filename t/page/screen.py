# SPDX-License-Identifier: MIT
"""What a user of the live page sees and does."""

from lib.wait import until

# Every text that is visible with its contrast (WCAG 2.1, 1.4.3), the lowest first.
CONTRAST = """
const parse = text => (text.match(/[\\d.]+/g) || [0, 0, 0, 0]).map(Number);
const over = ([r, g, b, a = 1], under) => [r, g, b].map((c, i) => c * a + under[i] * (1 - a));
const light = rgb => rgb.map(c => c / 255).map(c => c <= .03928 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4)
	.reduce((sum, c, i) => sum + c * [.2126, .7152, .0722][i], 0);
const ground = node => {
	if (!node) return [255, 255, 255];
	return over(parse(getComputedStyle(node).backgroundColor), ground(node.parentElement));
};
const texts = [];
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
for (let text; (text = walker.nextNode());) {
	const node = text.parentElement, style = getComputedStyle(node);
	if (!text.data.trim() || !node.getClientRects().length || style.visibility === "hidden" ||
	    node.closest("script, style, noscript, option")) continue;
	const frame = node.closest("g"), card = ground(node);
	let under = card, ink = parse(style.color);
	if (frame) {
		const a = Number(getComputedStyle(frame).opacity);
		under = over([...parse(getComputedStyle(frame.querySelector("rect")).fill), a], card);
		ink = [...parse(style.fill).slice(0, 3), 1];
		ink = over([...ink.slice(0, 3), a], card);
	} else ink = over(ink, under);
	const [a, b] = [light(ink), light(under)].sort((x, y) => y - x);
	texts.push([(a + .05) / (b + .05), text.data.trim().slice(0, 40), node.className.baseVal ?? node.className]);
}
for (const node of document.querySelectorAll("input, select")) {
	if (!node.getClientRects().length) continue;
	const under = ground(node), [a, b] = [light(over(parse(getComputedStyle(node).color), under)), light(under)].sort((x, y) => y - x);
	texts.push([(a + .05) / (b + .05), node.name, node.tagName]);
}
return texts.sort((a, b) => a[0] - b[0]);
"""


class Screen:
    def __init__(self, driver):
        self.driver = driver
        self.heard = []

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
        self.driver.get(f"http://{address}/")
        self.wait("#link", "Live")
        return self

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
        return self.run(CONTRAST)

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
