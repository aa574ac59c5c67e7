// folded.js: profiles as folded stacks, lines of "route;file:function:line;… count", the outermost frame
// first; and the difference of two.
"use strict";

// A node is a function as it was called on one way from the root. Its lines, [line, samples], are where
// it was meanwhile; count is how many samples lie in it or under it, self how many in itself.
function newNode(name) {
	return { name, count: 0, self: 0, lines: new Map(), children: new Map() };
}

function readFrame(text) {
	const [, name, line] = /^(.+:[^:]+):(\d+)$/.exec(text) ?? [null, text, null];

	return { name, line };
}

function addTo(map, key, count) {
	map.set(key, (map.get(key) ?? 0) + count);
}

function addStack(root, [route, ...frames], count) {
	let node = root;

	root.count += count;
	for (const { name, line } of [{ name: route, line: null }, ...frames.map(readFrame)]) {
		if (!node.children.has(name)) node.children.set(name, newNode(name));
		node = node.children.get(name);
		node.count += count;
		if (line) addTo(node.lines, line, count);
	}
	node.self += count;
}

function readFolded(text) {
	const root = newNode("all");

	for (const line of text.split("\n")) {
		const [, stack, count] = /^(.+) (\d+)$/.exec(line) ?? [];

		if (stack) addStack(root, stack.split(";"), Number(count));
	}
	return root;
}

// A name as short as it can be understood: the function first, and the end of its file's path.
function shortName(name) {
	const at = name.lastIndexOf(":");

	if (at < 0) return name;
	return `${name.slice(at + 1)} ${name.slice(0, at).split("/").slice(-2).join("/")}`;
}

// The lines where a function was most, in words; "" where there are none.
function linesOf(lines, most = 3) {
	const all = [...lines].sort((a, b) => b[1] - a[1]).map(([line]) => line);

	if (!all.length) return "";
	return `line${all.length > 1 ? "s" : ""} ${all.slice(0, most).join(", ")}${all.length > most ? " …" : ""}`;
}

// Shares of one profile, or of two beside each other: width is what is drawn, more how much larger
// the share of the first is than that of the second, which may both be missing here.
function sharesOf(shown, base) {
	const join = (a, b) => {
		const share = a ? a.count / (shown.count || 1) : 0,
			old = b ? b.count / (base.count || 1) : 0;
		const names = new Set([...(a?.children.keys() ?? []), ...(b?.children.keys() ?? [])]);

		return {
			name: (a ?? b).name,
			count: a?.count ?? 0,
			lines: (a ?? b).lines,
			share,
			old,
			more: base ? share - old : 0,
			width: base ? (share + old) / 2 : share,
			self: (a?.self ?? 0) / (shown.count || 1),
			oldSelf: base ? (b?.self ?? 0) / (base.count || 1) : 0,
			children: [...names]
				.sort()
				.map(name => join(a?.children.get(name), b?.children.get(name))),
		};
	};

	return join(shown, base);
}

// Every function with its shares, recursion counted once; the one that runs most by itself first.
function hottest(root) {
	const all = new Map();
	const visit = (node, inside) => {
		const one = all.get(node.name) ?? {
			name: node.name,
			self: 0,
			share: 0,
			oldSelf: 0,
			lines: new Map(),
		};

		one.self += node.self;
		one.oldSelf += node.oldSelf;
		if (!inside.has(node.name)) one.share += node.share;
		node.lines.forEach((count, line) => addTo(one.lines, line, count));
		all.set(node.name, one);
		node.children.forEach(child => visit(child, new Set(inside).add(node.name)));
	};

	root.children.forEach(route => route.children.forEach(child => visit(child, new Set())));
	return [...all.values()]
		.filter(one => one.self + one.oldSelf > 0)
		.sort((a, b) => Math.max(b.self, b.oldSelf) - Math.max(a.self, a.oldSelf));
}
