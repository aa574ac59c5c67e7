// chart.js: a small chart of the last minutes. All charts share the samples and the cursor:
// pointing at one of them, or the arrow keys, show what every one of them was at that time.
"use strict";

const SPAN_S = 300,
	LEAST_SPAN_S = 60,
	GAP_S = 4,
	WIDTH = 300,
	HEIGHT = 60;

// Seconds from the left edge to the right one, where the newest sample is.
function spanOf(samples) {
	const first = samples[0]?.t ?? 0,
		last = samples[samples.length - 1]?.t ?? 0;

	return Math.min(SPAN_S, Math.max(LEAST_SPAN_S, last - first));
}

const yOf = (value, top) => (HEIGHT - (value * (HEIGHT - 2)) / top).toFixed(1);

// The stretches of samples that follow one another without a gap.
function stretches(samples) {
	const all = [];

	samples.forEach((one, i) => {
		if (i === 0 || one.t - samples[i - 1].t > GAP_S) all.push([]);
		all[all.length - 1].push(one);
	});
	return all;
}

class Chart {
	// series: [{name, colour (a class), of(sample)}]; stacked: each lies on those before it.
	// write() puts a value in words; the axis ends at a round number of units, and at least at
	// least.
	constructor(parent, { name, series, write, least, unit = 1, stacked = false }) {
		Object.assign(this, { name, series, write, least, unit, stacked });
		this.values = series.map(one => element("b"));
		this.paths = series.map(one =>
			drawing("path", { class: `${stacked ? "area" : "line"} ${one.colour}` }),
		);
		this.marks = drawing("path", { class: "mark" });
		this.cursor = drawing("path", { class: "cursor" });
		this.top = element("span", { class: "top" });
		this.svg = drawing(
			"svg",
			{
				viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
				preserveAspectRatio: "none",
				"aria-hidden": "true",
			},
			drawing("path", { class: "floor", d: `M0 ${HEIGHT}H${WIDTH}` }),
			this.marks,
			...this.paths,
			this.cursor,
		);
		this.node = element(
			"div",
			{
				class: "chart",
				tabindex: 0,
				role: "slider",
				"aria-label": name,
				"aria-valuemin": -SPAN_S,
				"aria-valuemax": 0,
				"aria-valuenow": 0,
				"aria-orientation": "horizontal",
			},
			element("div", { class: "title" }, element("h3", {}, name), this.top),
			element(
				"p",
				{},
				...series.map((one, i) =>
					element(
						"span",
						{ class: `key ${one.colour}` },
						one.name ? `${one.name} ` : "",
						this.values[i],
					),
				),
			),
			this.svg,
		);
		parent.append(this.node);
	}

	// at: the sample under the cursor; null: the newest.
	draw(samples, at) {
		const now = samples[samples.length - 1],
			span = spanOf(samples),
			xOf = t => (((t - now.t) / span + 1) * WIDTH).toFixed(1);
		const sums = samples.map(one =>
			this.stacked
				? sum(this.series, s => s.of(one))
				: Math.max(...this.series.map(s => s.of(one) ?? 0)),
		);
		const top = ceiling(Math.max(this.least, ...sums) / this.unit) * this.unit;
		const parts = stretches(samples);

		this.paths.forEach((path, i) =>
			path.setAttribute(
				"d",
				this.stacked
					? this.area(parts, i, xOf, top)
					: this.line(parts, this.series[i], xOf, top),
			),
		);
		this.marks.setAttribute(
			"d",
			samples
				.filter((one, i) => i && one.generation !== samples[i - 1].generation)
				.map(one => `M${xOf(one.t)} 0V${HEIGHT}`)
				.join(""),
		);
		this.cursor.setAttribute("d", at ? `M${xOf(at.t)} 0V${HEIGHT}` : "");
		say(this.top, `0 to ${this.write(top)}`);
		this.series.forEach((one, i) => say(this.values[i], this.write(one.of(at ?? now))));
		this.tell(at ?? now, now, span, at);
	}

	// For who cannot see it. One who has come to a chart is told what the cursor finds, and not each
	// second something new.
	tell(sample, now, span, asked) {
		if (!asked && document.activeElement === this.node) return;
		this.node.setAttribute("aria-valuemin", -Math.round(span));
		this.node.setAttribute("aria-valuenow", Math.round(sample.t - now.t));
		this.node.setAttribute(
			"aria-valuetext",
			`${clock(sample.t)}: ` +
				this.series
					.map(one => `${one.name ?? ""} ${this.write(one.of(sample))}`)
					.join(", "),
		);
	}

	line(parts, one, xOf, top) {
		return parts
			.map(part =>
				part
					.filter(s => (one.of(s) ?? null) !== null)
					.map((s, i) => `${i ? "L" : "M"}${xOf(s.t)} ${yOf(one.of(s), top)}`)
					.join(""),
			)
			.join("");
	}

	area(parts, i, xOf, top) {
		const upTo = (s, n) => sum(this.series.slice(0, n), one => one.of(s));
		const points = (part, n) => part.map(s => `${xOf(s.t)} ${yOf(upTo(s, n), top)}`);

		return parts
			.map(
				part =>
					`M${points(part, i + 1)
						.concat(points(part, i).reverse())
						.join("L")}Z`,
			)
			.join("");
	}
}

// The cursor of all charts: where it is, in seconds since 1970, or null; changed() is called when
// it has moved.
class Cursor {
	constructor(charts, samples, changed) {
		this.t = null;
		this.samples = samples;
		this.changed = changed;
		for (const { node, svg } of charts) {
			node.addEventListener("pointermove", event => {
				const box = svg.getBoundingClientRect();

				this.move(
					this.end() - spanOf(samples) * (1 - (event.clientX - box.left) / box.width),
				);
			});
			node.addEventListener("pointerleave", () => this.move(null));
			node.addEventListener("blur", () => this.move(null));
			node.addEventListener("keydown", event => this.key(event));
		}
	}

	end() {
		return this.samples.length ? this.samples[this.samples.length - 1].t : 0;
	}

	move(t) {
		this.t = t;
		this.changed();
	}

	key(event) {
		const steps = { ArrowLeft: -1, ArrowRight: 1, PageUp: -30, PageDown: 30, Home: -SPAN_S };

		if (event.key === "Escape" || event.key === "End") this.move(null);
		else if (event.key in steps)
			this.move(
				Math.min(
					this.end(),
					Math.max(
						this.end() - spanOf(this.samples),
						(this.t ?? this.end()) + steps[event.key],
					),
				),
			);
		else return;
		event.preventDefault();
	}

	// The sample that is nearest; null: there is no cursor.
	sample() {
		if (this.t === null || !this.samples.length) return null;
		return this.samples.reduce((best, one) =>
			Math.abs(one.t - this.t) < Math.abs(best.t - this.t) ? one : best,
		);
	}
}
