// page.js: the live page. The server sends everything once and then, each second, what has changed
// (/events); each message is shown in all sections.
"use strict";

const RETRY_MS = 1000,
	SILENCE_MS = 4000;

const seen = { workers: [], sockets: [], vassals: [], slow: [], log: [], classes: [0, 0, 0, 0, 0], hist: {} };
const samples = [];
const profiles = new Profiles();

const charts = CHARTS.map(what => new Chart($("charts"), what));
const cursor = new Cursor(charts, samples, drawCharts);

function drawCharts() {
	const at = cursor.sample();

	say($("cursor"), at ? `at ${clock(at.t)}` : "");
	if (samples.length) charts.forEach(chart => chart.draw(samples, at));
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
	drawNow(seen.workers);
	drawSlow(seen.slow);
	drawCharts();
	drawWorkers(seen.workers, seen.t);
	drawSockets(seen.sockets);
	drawVassals(seen.vassals, seen.t);
	drawLog(seen.log);
	profiles.offer([...new Set(seen.workers.map(w => w.id))]);
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
	record(seen, samples);
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
