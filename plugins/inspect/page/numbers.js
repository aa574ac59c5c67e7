// numbers.js: what the page computes, and how it writes numbers. It knows neither the document nor
// the network.
"use strict";

// Whether a part of a path is a value, such as a number or a key: as profiles judge it, too.
function isValue(part) {
	const count = part.replace(/\D/g, "").length;

	return count * 2 > part.length || (count >= 4 && part.length >= 16);
}

// Requests that differ in values only are of one route: /user/17 and /user/18 are /user/*.
function routeOf(method, uri) {
	const path = uri
		.split("?")[0]
		.split("/")
		.map(part => (isValue(part) ? "*" : part))
		.join("/");

	return `${method} ${path}`;
}

// A histogram is [[upper bound in µs, requests at or under it], …] of all time, with those bounds
// only between which there are requests. This is the histogram of what came between two of them.
function between(before, now) {
	let i = 0,
		old = 0;

	return now.map(([upper, count]) => {
		while (i < before.length && before[i][0] <= upper) old = before[i++][1];
		return [upper, count - old];
	});
}

// The bound, in µs, under which this share of the requests lies; null: there are none.
function percentile(histogram, share) {
	const total = histogram.length ? histogram[histogram.length - 1][1] : 0;

	if (total <= 0) return null;
	return histogram.find(([, count]) => count >= share * total)[0];
}

// Slow requests by route, the one that ran for the most time altogether first. How long they
// waited, and how long their clients took, is no fault of the route.
function slowRoutes(slow) {
	const routes = new Map();

	for (const one of slow) {
		const name = routeOf(one.method, one.uri);
		const route = routes.get(name) ?? { name, total: 0, worst: 0, requests: [] };

		route.total += one.run_us;
		route.worst = Math.max(route.worst, one.run_us);
		route.requests.push(one);
		routes.set(name, route);
	}
	return [...routes.values()].sort((a, b) => b.total - a.total);
}

// [{n, busy, method, uri, ms, worker}] of all lanes that run something, the longest first.
function running(workers) {
	return workers
		.flatMap(w => w.lanes.filter(l => l.busy).map(l => ({ ...l, worker: w.id, pid: w.pid })))
		.sort((a, b) => b.ms - a.ms);
}

// Lines of the log, those that say the same as one, the latest first.
function sameLines(log) {
	const groups = new Map();

	for (const { at, text } of log) {
		const group = groups.get(text) ?? { text, count: 0, first: at, last: at };

		group.count++;
		group.first = Math.min(group.first, at);
		group.last = Math.max(group.last, at);
		groups.set(text, group);
	}
	return [...groups.values()].sort((a, b) => b.last - a.last);
}

function sum(list, of) {
	return list.reduce((total, one) => total + (of(one) || 0), 0);
}

// A round number at or above this one, for the top of an axis.
function ceiling(value) {
	const unit = 10 ** Math.floor(Math.log10(value));

	return [1, 2, 5, 10].map(n => n * unit).find(n => n >= value * 0.999);
}

// ---- in words ----

function digits(value) {
	return value.toLocaleString(
		"en-US",
		value >= 100 ? { maximumFractionDigits: 0 } : { maximumSignificantDigits: 3 },
	);
}

function duration(us) {
	if (us === null || us === undefined) return "–";
	if (us < 999.5) return `${digits(us)} µs`;
	if (us < 999500) return `${digits(us / 1000)} ms`;
	const s = us / 1e6,
		rest = (n, unit) => String(Math.floor((s % n) / unit)).padStart(2, "0");

	if (s < 60) return `${digits(s)} s`;
	if (s < 3600) return `${Math.floor(s / 60)} min ${rest(60, 1)} s`;
	if (s < 86400) return `${Math.floor(s / 3600)} h ${rest(3600, 60)} min`;
	return `${Math.floor(s / 86400)} d ${rest(86400, 3600)} h`;
}

function bytes(n) {
	const units = ["B", "KiB", "MiB", "GiB", "TiB"];
	let i = 0;

	for (; n >= 1000 && i < units.length - 1; i++) n /= 1024;
	return `${digits(n)} ${units[i]}`;
}

function many(n, noun) {
	return `${n.toLocaleString("en-US")} ${noun}${n === 1 ? "" : "s"}`;
}

function clock(seconds) {
	return new Date(seconds * 1000).toLocaleTimeString("en-GB");
}

function percent(share) {
	return `${(100 * share).toFixed(share < 0.0995 ? 1 : 0)} %`;
}
