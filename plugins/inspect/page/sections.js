// sections.js: the lists of the page: what runs and what was slow, workers, sockets, the log.
"use strict";

const ROWS = 8,
	LOG_ROWS = 20,
	LONG_MS = 100,
	SLOW_MS = 1000,
	VERY_SLOW_MS = 10000;

const newestFirst = (a, b) => b.at - a.at;

// How long, as a word for the style sheet.
function heat(ms) {
	return ms >= VERY_SLOW_MS ? "hot" : ms >= SLOW_MS ? "warm" : "";
}

function row(kind = "li") {
	const node = element(kind, { class: "row" });

	node.parts = ["time", "text", "quiet"].map(name => element("span", { class: name }));
	node.append(...node.parts);
	return node;
}

function setRow(node, time, text, quiet, ms) {
	[time, text, quiet].forEach((words, i) => say(node.parts[i], words));
	node.parts[0].className = `time ${heat(ms)}`;
}

// What stands under a list that shows the first of its items only.
function rest(count, shown, nothing) {
	if (!count) return nothing;
	return count > shown ? `and ${count - shown} more` : "";
}

// Of a busy server most requests are gone before anybody can read of them: those are counted.
function drawNow(workers) {
	const all = running(workers),
		long = all.filter(l => l.ms >= LONG_MS).slice(0, ROWS),
		more = all.length - long.length;

	show(
		$("now"),
		long,
		l => `${l.pid} ${l.n}`,
		() => row(),
		(node, l) =>
			setRow(
				node,
				duration(l.ms * 1000),
				`${l.method} ${l.uri}`,
				`worker ${l.worker}, lane ${l.n}`,
				l.ms,
			),
	);
	if (!all.length) say($("now-more"), "No request runs.");
	else if (!long.length)
		say($("now-more"), `Of ${many(more, "request")}, none has run for long.`);
	else say($("now-more"), more ? `and ${more} more` : "");
}

// What is unfolded shows more of the same.
function makeFolded() {
	const node = element("details"),
		head = row("summary");

	node.head = head;
	node.list = element("ol", { class: "rows" });
	node.append(head, node.list);
	return node;
}

function updateRoute(node, route) {
	setRow(
		node.head,
		duration(route.worst),
		route.name,
		`${route.requests.length} × slow, ` +
			`${duration(route.total / route.requests.length)} on average`,
		route.worst / 1000,
	);
	show(
		node.list,
		[...route.requests].sort(newestFirst),
		one => `${one.at} ${one.worker} ${one.lane} ${one.run_us}`,
		() => row(),
		(line, one) =>
			setRow(
				line,
				duration(one.run_us),
				`${one.method} ${one.uri}`,
				`${clock(one.at)}, status ${one.status}, waited ${duration(one.wait_us)} before, ` +
					`sent in ${duration(one.send_us)}, worker ${one.worker}, lane ${one.lane}` +
					(one.trace_id ? `, trace ${one.trace_id}` : ""),
				one.run_us / 1000,
			),
	);
}

function drawSlow(slow) {
	const routes = slowRoutes(slow);

	show($("slow"), routes.slice(0, ROWS), route => route.name, makeFolded, updateRoute);
	say($("slow-more"), rest(routes.length, ROWS, "No request was slow so far."));
}

// ---- workers, sockets, log ----

function makeWorker() {
	const node = element("li", { class: "worker" });

	node.name = element("h3");
	node.state = element("span", { class: "pill" });
	node.facts = element("p", { class: "quiet" });
	node.lanes = element("ol", { class: "rows" });
	node.idle = element("p", { class: "quiet" });
	node.append(
		element("div", { class: "title" }, node.name, node.state),
		node.facts,
		node.lanes,
		node.idle,
	);
	return node;
}

function updateWorker(node, w, now) {
	const busy = w.lanes.filter(l => l.busy),
		idle = w.lanes.length - busy.length;

	say(node.name, `Worker ${w.id}`);
	say(node.state, w.state);
	node.state.className = `pill ${w.state}`;
	say(
		node.facts,
		`pid ${w.pid}, generation ${w.generation}, ${many(w.requests, "request")}, ${bytes(memoryOf(w))}` +
			(w.since ? `, for ${duration(Math.max(0, now - w.since) * 1e6)}` : ""),
	);
	show(
		node.lanes,
		busy,
		l => l.n,
		() => row(),
		(line, l) =>
			setRow(line, duration(l.ms * 1000), `${l.method} ${l.uri}`, `lane ${l.n}`, l.ms),
	);
	say(node.idle, idle ? many(idle, "idle lane") : "");
}

// During a reload, how far each generation is: "generation 2: 2 leaving; generation 3: 1 starting".
function generations(workers) {
	const all = new Map();

	for (const w of workers) {
		const states = all.get(w.generation) ?? new Map();

		all.set(w.generation, states.set(w.state, (states.get(w.state) ?? 0) + 1));
	}
	return [...all]
		.sort((a, b) => a[0] - b[0])
		.map(
			([number, states]) =>
				`generation ${number}: ${[...states].map(([state, n]) => `${n} ${state}`).join(", ")}`,
		)
		.join("; ");
}

function drawWorkers(workers, now) {
	show(
		$("workers"),
		workers,
		w => `${w.generation} ${w.id} ${w.pid}`,
		makeWorker,
		(node, w) => updateWorker(node, w, now),
	);
	say($("generations"), generations(workers));
}

// ---- vassals: what an emperor runs ----

// Where its own page is: one that listens on all addresses is found where this page is from.
function vassalPage(address) {
	const at = /^([\w.*:[\]-]*):(\d+)$/.exec(address ?? "");

	if (!at) return null;
	return `http://${/^(\*|0\.0\.0\.0|\[::\])?$/.test(at[1]) ? location.hostname : at[1]}:${at[2]}/`;
}

function makeVassal() {
	const node = element("li", { class: "worker" });

	node.name = element("h3");
	node.state = element("span", { class: "pill" });
	node.facts = element("p", { class: "quiet" });
	node.why = element("p");
	node.append(element("div", { class: "title" }, node.name, node.state), node.facts, node.why);
	return node;
}

function updateVassal(node, v, now) {
	const page = vassalPage(v.inspect),
		since = v.state === "serving" ? v.ready : v.started,
		facts = [v.folder, v.pid ? `pid ${v.pid}` : "no process"];

	if (v.pid && since) facts.push(`for ${duration(Math.max(0, now - since) * 1e6)}`);
	if (v.respawns) facts.push(many(v.respawns, "respawn"));
	if (v.again) facts.push(`again in ${duration(Math.max(0, v.again - now) * 1e6)}`);
	if (v.inspect && !page) facts.push(v.inspect);
	// The same link stays, so that it can be clicked between two updates.
	if (node.page !== page || node.shown !== v.name)
		node.name.replaceChildren(page ? element("a", { href: page }, v.name) : v.name);
	node.page = page;
	node.shown = v.name;
	say(node.state, v.state);
	node.state.className = `pill ${v.state}`;
	say(node.facts, facts.filter(Boolean).join(", "));
	say(node.why, v.why ?? "");
}

function drawVassals(vassals, now) {
	$("vassals-section").hidden = !vassals.length;
	show(
		$("vassals"),
		vassals,
		v => `${v.folder} ${v.name}`,
		makeVassal,
		(node, v) => updateVassal(node, v, now),
	);
}

function drawSockets(sockets) {
	show(
		$("sockets"),
		sockets,
		s => `${s.protocol} ${s.name}`,
		() => row(),
		(node, s) =>
			setRow(
				node,
				s.queue < 0 ? "?" : digits(s.queue),
				`${s.protocol} ${s.name}`,
				`of ${digits(s.max_queue)} places in its queue are taken`,
				s.max_queue && s.queue >= s.max_queue / 2 ? SLOW_MS : 0,
			),
	);
}

function makeWarning({ text }) {
	if (!text.includes("\n")) return row("div");
	const node = makeFolded();

	node.list.replaceWith(
		element("pre", { tabindex: 0, role: "region", "aria-label": "All of it" }, text),
	);
	return node;
}

function updateWarning(node, { text, count, first, last }) {
	const [line, ...more] = text.split("\n");
	const quiet = [];

	if (count > 1) quiet.push(`${count} times since ${clock(first)}`);
	if (more.length) quiet.push(`${more.length + 1} lines`);
	setRow(node.head ?? node, clock(last), line, quiet.join(", "), 0);
}

function drawLog(log) {
	const all = sameLines(log);

	show($("log"), all.slice(0, LOG_ROWS), one => one.text, makeWarning, updateWarning);
	say($("log-more"), rest(all.length, LOG_ROWS, "No warnings so far."));
}
