"use strict";
// `sections`, [address, title, text] each, is index.js's: the site works from a disk, where nothing may be
// fetched.  All words have to be there; those of a title count more.
const box = document.getElementById("search");
const list = document.getElementById("found");

function find(text) {
	const words = text.toLowerCase().split(/\s+/).filter(Boolean);
	const found = [];
	for (const [address, title, body] of words.length ? sections : []) {
		const head = title.toLowerCase(), all = head + " " + body.toLowerCase();
		if (!words.every(w => all.includes(w)))
			continue;
		let score = 0;
		for (const w of words)
			score += head === w ? 100 : head.startsWith(w) ? 20 : head.includes(w) ? 10 : 1;
		found.push({ address, title, body, score, at: body.toLowerCase().indexOf(words[0]) });
	}
	return found.sort((a, b) => b.score - a.score).slice(0, 20);
}

function show() {
	const found = find(box.value);
	list.replaceChildren(...found.map(f => {
		const line = document.createElement("li"), link = document.createElement("a");
		const part = document.createElement("small");
		link.href = box.dataset.base + "/" + f.address;
		link.textContent = f.title;
		part.textContent = f.body.slice(Math.max(0, f.at - 40), Math.max(0, f.at - 40) + 140);
		link.append(part);
		line.append(link);
		return line;
	}));
	if (box.value && !found.length)
		list.textContent = "Nothing has all these words.";
	list.hidden = !box.value;
}

box.addEventListener("input", show);
list.addEventListener("click", () => { list.hidden = true; });
document.addEventListener("keydown", e => {
	if (e.key === "Escape")
		list.hidden = true;
	else if (e.key === "/" && document.activeElement !== box) {
		box.focus();
		e.preventDefault();
	}
});
// On a phone the text comes first.
if (matchMedia("(max-width: 50rem)").matches)
	document.getElementById("pages").open = false;
