// profile.js: the section of profiles and stacks: asks for them when told to, and keeps the last
// few profiles, so that two can be compared.
"use strict";

const PROFILES_KEPT = 8,
	HOT_ROWS = 12;

class Profiles {
	constructor() {
		this.form = $("profile-form");
		this.view = $("flame-form").elements;
		this.kept = [];
		this.flame = new Flame($("flame"), (frame, found) => this.describe(frame, found));
		this.form.addEventListener("submit", event => {
			event.preventDefault();
			this.take();
		});
		$("profile-cancel").addEventListener("click", () => this.under.abort());
		$("stacks").addEventListener("click", () => this.stacks());
		$("flame-form").addEventListener("submit", event => event.preventDefault());
		this.view.shown.addEventListener("change", () => this.draw());
		this.view.base.addEventListener("change", () => this.draw());
		this.view.search.addEventListener("input", () => this.flame.search(this.view.search.value));
		$("flame-reset").addEventListener("click", () => this.flame.zoom(this.flame.root));
		$("flame-save").addEventListener("click", () => this.save());
	}

	// The numbers of workers that there are.
	offer(workers) {
		const node = this.form.elements.worker;

		show(
			node,
			["", ...workers],
			id => String(id),
			id => element("option", { value: id }, id === "" ? "all" : String(id)),
			() => {},
		);
	}

	// The answer's text; throws with what the server has said instead. The origin is without the
	// password that the page's own address may have, which fetch() would refuse.
	async ask(path, signal) {
		const answer = await fetch(location.origin + path, { signal, cache: "no-store" }),
			text = await answer.text();

		if (!answer.ok)
			throw new Error(text.trim().slice(0, 300) || `the server answers ${answer.status}`);
		return text;
	}

	async take() {
		const { seconds, hz, worker } = this.form.elements;

		if (this.under || !this.form.reportValidity()) return;
		this.under = new AbortController();
		const timer = this.progress(Number(seconds.value));

		try {
			const text = await this.ask(
				`/profile?seconds=${seconds.value}&hz=${hz.value}` +
					(worker.value && `&worker=${worker.value}`),
				this.under.signal,
			);

			this.keep(text, worker.value);
		} catch (error) {
			say(
				$("profile-says"),
				error.name === "AbortError" ? "Cancelled." : `No profile: ${error.message}`,
			);
		}
		clearInterval(timer);
		this.under = null;
		this.busy(false);
	}

	progress(seconds) {
		const bar = $("profile-progress"),
			begin = performance.now();

		this.busy(true);
		bar.max = seconds;
		bar.value = 0;
		say($("profile-says"), `The requests of ${many(seconds, "second")} are looked at.`);
		return setInterval(() => {
			bar.value = (performance.now() - begin) / 1000;
		}, 200);
	}

	busy(yes) {
		$("profile-start").disabled = yes;
		$("profile-cancel").hidden = $("profile-progress").hidden = !yes;
	}

	keep(text, worker) {
		const root = readFolded(text);

		if (!root.count) {
			say($("profile-says"), "No request ran meanwhile, so there is nothing to show.");
			return;
		}
		say($("profile-says"), `${many(root.count, "sample")} of running requests.`);
		this.kept.unshift({
			name: `${clock(Date.now() / 1000)}${worker && `, worker ${worker}`}`,
			root,
			text,
			key: this.kept[0]?.key + 1 || 1,
		});
		this.kept.length = Math.min(this.kept.length, PROFILES_KEPT);
		this.choices(this.view.shown, this.kept, this.kept[0].key);
		this.choices(
			this.view.base,
			[{ key: "", name: "nothing" }, ...this.kept],
			this.view.base.value,
		);
		$("flame-view").hidden = false;
		this.draw();
	}

	choices(node, list, value) {
		node.replaceChildren(...list.map(one => element("option", { value: one.key }, one.name)));
		node.value = value;
		if (node.selectedIndex < 0) node.selectedIndex = 0;
	}

	chosen(node) {
		return this.kept.find(one => String(one.key) === node.value);
	}

	draw() {
		const shown = this.chosen(this.view.shown),
			base = this.chosen(this.view.base);
		const root = sharesOf(shown.root, base?.root);

		this.flame.set(root, Boolean(base));
		say(
			$("flame-says"),
			base
				? "Red ran more than in the other profile, blue less; a frame is as wide as it is in both on average."
				: "A frame is as wide as its share of the time; what it calls lies under it. Click to enlarge.",
		);
		this.hot(hottest(root).slice(0, HOT_ROWS), base);
	}

	hot(functions, base) {
		const cells = one => [
			percent(one.self) + (base ? ` (${percent(one.oldSelf)})` : ""),
			percent(one.share),
			[shortName(one.name), linesOf(one.lines)].filter(Boolean).join(", "),
		];

		$("hot").tBodies[0].replaceChildren(
			...functions.map(one =>
				element("tr", {}, ...cells(one).map(text => element("td", {}, text))),
			),
		);
	}

	describe(frame, found) {
		say(
			$("flame-frame"),
			frame + (found === null ? "" : ` · found in ${percent(found)} of all`),
		);
		$("flame-reset").disabled = this.flame.zoomed === this.flame.root;
	}

	save() {
		const { text, name } = this.chosen(this.view.shown),
			url = URL.createObjectURL(new Blob([text], { type: "text/plain" }));

		element("a", { href: url, download: `profile-${name.replace(/\W+/g, "-")}.txt` }).click();
		URL.revokeObjectURL(url);
	}

	async stacks() {
		const node = $("stacks-text");

		node.hidden = false;
		say(node, "Asking every worker …");
		try {
			say(node, await this.ask("/stacks"));
		} catch (error) {
			say(node, `No stacks: ${error.message}`);
		}
	}
}
