// page.js: the live page. The server sends everything once and then, each second, what has changed
// (/events); each message is shown in all sections.
"use strict";

const RETRY_MS = 1000,
	SILENCE_MS = 4000,
	WINDOW_S = 10,
	ROWS = 8;
const SLOW_MS = 1000,
	VERY_SLOW_MS = 10000;

const seen = { workers: [], sockets: [], slow: [], log: [], classes: [0, 0, 0, 0, 0], hist: {} };
const samples = [];
const profiles = new Profiles();

// ---- what is drawn over time ----

const pss = w => w.pss || w.rss;

function sample() {
	const last = samples[samples.length - 1],
		dt = last ? seen.t - last.t : 0;
	const old = samples.find(one => one.t >= seen.t - WINDOW_S);
	const run = old ? between(old.run, seen.hist.run ?? []) : (seen.hist.run ?? []);
	const lanes = seen.workers.flatMap(w => w.lanes);

	return {
		t: seen.t,
		generation: seen.generation,
		requests: seen.requests,
		classes: seen.classes,
		run: seen.hist.run ?? [],
		rate: dt > 0 ? (seen.requests - last.requests) / dt : null,
		kinds: seen.classes.map((n, i) => (dt > 0 ? (n - last.classes[i]) / dt : 0)),
		p50: percentile(run, 0.5),
		p95: percentile(run, 0.95),
		p99: percentile(run, 0.99),
		queue: sum(seen.sockets, s => s.queue),
		busy: lanes.filter(l => l.busy).length,
		lanes: lanes.length,
		memory: sum(seen.workers, pss),
	};
}

const perSecond = n => (n === null || n === undefined ? "–" : `${digits(n)}/s`);
const charts = [
	{ name: "Requests", write: perSecond, least: 1, series: [{ colour: "a", of: s => s.rate }] },
	{
		name: "Time in the application",
		write: duration,
		least: 1000,
		series: [
			{ name: "p99", colour: "c", of: s => s.p99 },
			{ name: "p95", colour: "b", of: s => s.p95 },
			{ name: "p50", colour: "a", of: s => s.p50 },
		],
	},
	{
		name: "Answers by status",
		write: perSecond,
		least: 1,
		stacked: true,
		series: [
			{ name: "5xx", colour: "c", of: s => s.kinds[4] },
			{ name: "4xx", colour: "b", of: s => s.kinds[3] },
			{ name: "3xx", colour: "d", of: s => s.kinds[2] },
			{ name: "2xx", colour: "a", of: s => s.kinds[1] + s.kinds[0] },
		],
	},
	{
		name: "Connections that wait",
		write: digits,
		least: 5,
		series: [{ colour: "a", of: s => s.queue }],
	},
	{
		name: "Lanes at work",
		write: digits,
		least: 1,
		series: [
			{ name: "busy", colour: "a", of: s => s.busy },
			{ name: "of", colour: "d", of: s => s.lanes },
		],
	},
	{
		name: "Memory of the workers",
		write: bytes,
		least: 1 << 20,
		unit: 1 << 20,
		series: [{ colour: "a", of: s => s.memory }],
	},
].map(what => new Chart($("charts"), what));
const cursor = new Cursor(charts, samples, drawCharts);

function drawCharts() {
	const at = cursor.sample();

	say($("cursor"), at ? `at ${clock(at.t)}` : "");
	if (samples.length) charts.forEach(chart => chart.draw(samples, at));
}

function record() {
	const last = samples[samples.length - 1];

	// What was counted begins again, so there are no differences to what was before.
	if (last && (seen.requests < last.requests || seen.t < last.t)) samples.length = 0;
	samples.push(sample());
	while (samples[0].t < seen.t - SPAN_S) samples.shift();
}

// ---- what is slow ----

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

function drawNow() {
	const all = running(seen.workers);

	show(
		$("now"),
		all.slice(0, ROWS),
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
	say(
		$("now-more"),
		all.length > ROWS ? `and ${all.length - ROWS} more` : all.length ? "" : "No request runs.",
	);
}

function makeRoute() {
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
					`sent in ${duration(one.send_us)}, worker ${one.worker}, lane ${one.lane}`,
				one.run_us / 1000,
			),
	);
}

function drawSlow() {
	const routes = slowRoutes(seen.slow);

	show($("slow"), routes.slice(0, ROWS), route => route.name, makeRoute, updateRoute);
	say(
		$("slow-more"),
		routes.length > ROWS
			? `and ${routes.length - ROWS} more`
			: routes.length
				? ""
				: "No request was slow so far.",
	);
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

function updateWorker(node, w) {
	const busy = w.lanes.filter(l => l.busy),
		idle = w.lanes.length - busy.length;

	say(node.name, `Worker ${w.id}`);
	say(node.state, w.state);
	node.state.className = `pill ${w.state}`;
	say(
		node.facts,
		`pid ${w.pid}, generation ${w.generation}, ${many(w.requests, "request")}, ${bytes(pss(w))}` +
			(w.since ? `, for ${duration(Math.max(0, seen.t - w.since) * 1e6)}` : ""),
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
function generations() {
	const all = new Map();

	for (const w of seen.workers) {
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

function drawWorkers() {
	show(
		$("workers"),
		seen.workers,
		w => `${w.generation} ${w.id} ${w.pid}`,
		makeWorker,
		updateWorker,
	);
	say($("generations"), generations());
	show(
		$("sockets"),
		seen.sockets,
		s => `${s.protocol} ${s.name}`,
		() => row(),
		(node, s) =>
			setRow(
				node,
				digits(s.queue),
				`${s.protocol} ${s.name}`,
				`of ${digits(s.max_queue)} places in its queue are taken`,
				s.max_queue && s.queue >= s.max_queue / 2 ? SLOW_MS : 0,
			),
	);
	profiles.offer([...new Set(seen.workers.map(w => w.id))]);
}

function drawLog() {
	const lines = seen.log.length ? [...seen.log].sort(newestFirst) : [{ text: "No warnings." }];

	show(
		$("log"),
		lines,
		one => `${one.at} ${one.text}`,
		() => row(),
		(node, one) => setRow(node, one.at ? clock(one.at) : "", one.text, "", 0),
	);
}

// ---- the head ----

function drawHead() {
	const newest = samples[samples.length - 1];

	say($("version"), seen.version ?? "");
	say($("state"), seen.state ?? "");
	$("state").className = `pill ${seen.state}`;
	say($("facts"), `generation ${seen.generation}, up ${duration((seen.t - seen.started) * 1e6)}`);
	say(
		$("totals"),
		`Since the start: ${many(seen.requests, "request")}, ${seen.classes
			.map((n, i) => `${n.toLocaleString("en-US")} × ${i + 1}xx`)
			.join(", ")}, ${seen.failed.toLocaleString("en-US")} failed, ` +
			`${many(seen.gone, "client")} gone before the end, ${bytes(seen.sent)} sent`,
	);
	document.title = `${seen.state} · ${perSecond(newest.rate)} · uwsgi`;
}

function draw() {
	drawHead();
	drawNow();
	drawSlow();
	drawCharts();
	drawWorkers();
	drawLog();
}

// ---- the connection: it is made again a second after it broke, or when nothing comes ----

let source,
	silence,
	lost = null;

function sayLink(text, broken) {
	say($("link"), text);
	mark($("link"), "broken", broken);
	mark(document.body, "stale", broken);
}

function lose() {
	source.close();
	clearTimeout(silence);
	lost = lost ?? Date.now() / 1000;
	sayLink(`No connection since ${clock(lost)}: what you see is old. Trying again.`, true);
	setTimeout(connect, RETRY_MS);
}

function take(event) {
	clearTimeout(silence);
	silence = setTimeout(lose, SILENCE_MS);
	Object.assign(seen, JSON.parse(event.data));
	record();
	if (!document.hidden) draw();
	lost = null;
	sayLink("Live", false);
}

function connect() {
	source = new EventSource("/events");
	source.onmessage = take;
	source.onerror = lose;
	clearTimeout(silence);
	silence = setTimeout(lose, SILENCE_MS);
}

function ask(what) {
	$("profile").scrollIntoView();
	$("profile-title").focus({ preventScroll: true });
	what();
}

$("ask-stacks").addEventListener("click", () => ask(() => profiles.stacks()));
$("ask-profile").addEventListener("click", () => ask(() => profiles.take()));
document.addEventListener("visibilitychange", () => {
	if (!document.hidden && samples.length) draw();
});
connect();
