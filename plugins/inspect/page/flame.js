// flame.js: folded stacks as a picture, the root at the top. A frame is as wide as its share of the
// samples; what it calls lies under it.
"use strict";

const FRAME_PX = 18,
	CHARACTER_PX = 6.7,
	LEAST_PX = 1;

// Frames of one file have one colour. All are light: the text on them is dark by day and night.
function colourOf(name, level, more, compared) {
	if (compared)
		return `hsl(${more > 0 ? 8 : 214} ${Math.abs(more) < 0.0005 ? 0 : 90}% ${Math.round(92 - Math.min(1, Math.abs(more) * 4) * 24)}%)`;
	if (level < 2) return level ? "hsl(205 60% 82%)" : "hsl(210 10% 86%)";
	let hash = 0;

	for (const c of name.split(":")[0]) hash = (hash * 31 + c.codePointAt(0)) >>> 0;
	return `hsl(${18 + (hash % 34)} ${78 + (hash % 15)}% ${70 + (hash % 9)}%)`;
}

class Flame {
	// describe(frame, how much of all the search has found) is called when either changes.
	constructor(parent, describe) {
		Object.assign(this, {
			parent,
			describe,
			root: null,
			zoomed: null,
			wanted: "",
			current: null,
		});
		this.parent.addEventListener("keydown", event => this.key(event));
		new ResizeObserver(() => this.draw()).observe(parent);
	}

	// A tree of sharesOf(); compared: of two profiles.
	set(root, compared) {
		const link = (node, parent, level) => {
			Object.assign(node, { parent, level });
			node.children.forEach(child => link(child, node, level + 1));
		};

		link(root, null, 0);
		Object.assign(this, { root, compared, zoomed: root, current: root });
		this.draw();
	}

	zoom(node) {
		this.zoomed = this.current = node;
		this.draw();
	}

	search(text) {
		this.wanted = text.toLowerCase();
		this.draw();
	}

	matches(node) {
		return this.wanted !== "" && node.name.toLowerCase().includes(this.wanted);
	}

	// Frames with their places: those above the zoomed one over the whole width.
	layout(width) {
		const placed = [];
		const place = (node, x, scale) => {
			const w = node.width * scale;

			if (w < LEAST_PX) return;
			placed.push({ node, x, w });
			for (const child of node.children) {
				place(child, x, scale);
				x += child.width * scale;
			}
		};

		for (let node = this.zoomed.parent; node; node = node.parent)
			placed.unshift({ node, x: 0, w: width, above: true });
		place(this.zoomed, 0, width / (this.zoomed.width || 1));
		return placed;
	}

	draw() {
		const width = this.parent.clientWidth;

		if (!this.root || !width) return;
		const frames = this.layout(width);
		const height = FRAME_PX * (1 + Math.max(...frames.map(f => f.node.level)));
		const focus = this.parent.contains(document.activeElement);

		this.nodes = new Map(frames.map(f => [f.node, this.frame(f)]));
		this.parent.replaceChildren(
			drawing(
				"svg",
				{ width, height, role: "tree", "aria-label": "Flame graph" },
				...this.nodes.values(),
			),
		);
		this.choose(this.nodes.has(this.current) ? this.current : this.zoomed, focus);
	}

	frame({ node, x, w, above }) {
		const room = Math.floor((w - 6) / CHARACTER_PX),
			y = node.level * FRAME_PX;
		const g = drawing(
			"g",
			{
				role: "treeitem",
				tabindex: -1,
				"aria-level": node.level + 1,
				"aria-label": this.words(node),
				class: above ? "above" : "",
			},
			drawing("rect", {
				x: x.toFixed(1),
				y,
				width: Math.max(w - 0.5, 0.5).toFixed(1),
				height: FRAME_PX - 1,
				fill: this.matches(node)
					? "hsl(285 80% 80%)"
					: colourOf(node.name, node.level, node.more, this.compared),
			}),
		);

		if (room > 2)
			g.append(
				drawing(
					"text",
					{ x: (x + 3).toFixed(1), y: y + 13, "aria-hidden": "true" },
					this.label(node, room),
				),
			);
		g.addEventListener("click", () => this.zoom(node));
		g.addEventListener("pointerenter", () => this.describe(this.words(node), this.found()));
		g.addEventListener("focus", () => this.choose(node, false));
		return g;
	}

	label(node, room) {
		const name = node.level < 2 ? node.name : shortName(node.name);

		return name.length > room ? `${name.slice(0, room - 1)}…` : name;
	}

	words(node) {
		const lines = linesOf(node.lines);
		const name = lines ? `${node.name}, ${lines}` : node.name;

		if (this.compared)
			return `${name}: ${percent(node.share)}, ${percent(node.old)} in the other`;
		return `${name}: ${percent(node.share)}, ${many(node.count, "sample")}`;
	}

	// The share of all that lies in frames that match, or under one.
	found() {
		const under = node => (this.matches(node) ? node.width : sum(node.children, under));

		return this.wanted ? under(this.root) : null;
	}

	choose(node, focus) {
		this.nodes.get(this.current)?.setAttribute("tabindex", -1);
		this.current = node;
		this.nodes.get(node).setAttribute("tabindex", 0);
		if (focus) this.nodes.get(node).focus();
		this.describe(this.words(node), this.found());
	}

	// Up, down, left and right as the picture is; Enter zooms, Escape shows all.
	key(event) {
		const near = (
			step,
			siblings = this.current.parent?.children.filter(n => this.nodes.has(n)) ?? [],
		) => siblings[siblings.indexOf(this.current) + step];
		const widest = () =>
			this.current.children
				.filter(n => this.nodes.has(n))
				.reduce((best, n) => (!best || n.width > best.width ? n : best), null);
		const moves = {
			ArrowUp: () => this.current.parent,
			ArrowDown: widest,
			ArrowLeft: () => near(-1),
			ArrowRight: () => near(1),
		};

		if (event.key in moves) {
			const to = moves[event.key]();

			if (to) this.choose(to, true);
		} else if (event.key === "Enter" || event.key === " ") this.zoom(this.current);
		else if (event.key === "Escape") this.zoom(this.root);
		else return;
		event.preventDefault();
	}
}
