// SPDX-License-Identifier: MIT
// Every text that is visible with its contrast (WCAG 2.1, 1.4.3), the lowest first: [[contrast, text, class], …].
const parse = text => (text.match(/[\d.]+/g) || [0, 0, 0, 0]).map(Number);
const over = ([r, g, b, a = 1], under) => [r, g, b].map((c, i) => c * a + under[i] * (1 - a));
const light = rgb =>
	rgb
		.map(c => c / 255)
		.map(c => (c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
		.reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
const ground = node => {
	if (!node) return [255, 255, 255];
	return over(parse(getComputedStyle(node).backgroundColor), ground(node.parentElement));
};
const texts = [];
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
for (let text; (text = walker.nextNode());) {
	const node = text.parentElement,
		style = getComputedStyle(node);
	if (
		!text.data.trim() ||
		!node.getClientRects().length ||
		style.visibility === "hidden" ||
		node.closest("script, style, noscript, option")
	)
		continue;
	const frame = node.closest("g"),
		card = ground(node);
	let under = card,
		ink = parse(style.color);
	if (frame) {
		const a = Number(getComputedStyle(frame).opacity);
		under = over([...parse(getComputedStyle(frame.querySelector("rect")).fill), a], card);
		ink = [...parse(style.fill).slice(0, 3), 1];
		ink = over([...ink.slice(0, 3), a], card);
	} else ink = over(ink, under);
	const [a, b] = [light(ink), light(under)].sort((x, y) => y - x);
	texts.push([
		(a + 0.05) / (b + 0.05),
		text.data.trim().slice(0, 40),
		node.className.baseVal ?? node.className,
	]);
}
for (const node of document.querySelectorAll("input, select")) {
	if (!node.getClientRects().length) continue;
	const under = ground(node),
		[a, b] = [light(over(parse(getComputedStyle(node).color), under)), light(under)].sort(
			(x, y) => y - x,
		);
	texts.push([(a + 0.05) / (b + 0.05), node.name, node.tagName]);
}
return texts.sort((a, b) => a[0] - b[0]);
