// history.js: what the charts show: a sample of each event, and which of its values are drawn.
"use strict";

// Seconds that percentiles are of: in one second there are few requests, or none.
const WINDOW_S = 10;

// PSS, where the server could read it.
const memoryOf = w => w.pss || w.rss;

// What an event says, and what it means beside those before it.
function makeSample(seen, samples) {
	const last = samples[samples.length - 1],
		dt = last ? seen.t - last.t : 0;
	const old = samples.find(one => one.t >= seen.t - WINDOW_S) ?? last;
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
		queue: sum(seen.sockets, s => Math.max(0, s.queue)),
		busy: lanes.filter(l => l.busy).length,
		lanes: lanes.length,
		memory: sum(seen.workers, memoryOf),
	};
}

// Adds a sample of what the last event has left in seen, and forgets those that are too old.
function record(seen, samples) {
	const last = samples[samples.length - 1];

	// What it said last, once more, after a connection was made again.
	if (last && seen.t === last.t) return;
	// What was counted begins again, so there are no differences to what was before.
	if (last && (seen.requests < last.requests || seen.t < last.t)) samples.length = 0;
	samples.push(makeSample(seen, samples));
	while (samples[0].t < seen.t - SPAN_S) samples.shift();
}

const perSecond = n => (n === null || n === undefined ? "–" : `${digits(n)}/s`);
const CHARTS = [
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
];
