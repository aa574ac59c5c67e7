// elements.js: elements of the document. What the server says becomes text and nothing else:
// nothing is read as HTML after the page itself, and no other file makes elements.
"use strict";

const $ = id => document.getElementById(id);

function fill(node, attributes, children) {
	for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
	node.append(...children);
	return node;
}

function element(name, attributes = {}, ...children) {
	return fill(document.createElement(name), attributes, children);
}

function drawing(name, attributes = {}, ...children) {
	return fill(document.createElementNS("http://www.w3.org/2000/svg", name), attributes, children);
}

// Only what has changed is written: selections stay, and nothing is read out again.
function say(node, text) {
	if (node.textContent !== text) node.textContent = text;
}

// Whether a class is there.
function mark(node, name, there) {
	node.classList.toggle(name, Boolean(there));
}

// The children of parent become those of items, in this order; one whose key was there before stays
// the same element, so that it keeps focus and what was unfolded. Keys need not be different.
function show(parent, items, keyOf, make, update) {
	const before = new Map([...parent.children].map(node => [node.key, node]));
	const shown = new Set(),
		focus = document.activeElement;
	let next = parent.firstElementChild;

	for (const item of items) {
		const key = keyOf(item),
			node = before.get(key) ?? make(item);

		before.delete(key);
		shown.add(node);
		node.key = key;
		if (node === next) next = next.nextElementSibling;
		else parent.insertBefore(node, next);
		update(node, item);
	}
	[...parent.children].filter(node => !shown.has(node)).forEach(node => node.remove());
	if (focus !== document.activeElement && parent.contains(focus)) focus.focus();
}
