// The page: from the two blocks of JSON to what is seen.

const LEAST_SLOTS = 3;

const LISTS = [
  ["failures", "Failures", "failure"],
  ["results", "Results", "result"],
  ["warnings", "Warnings", "warning"],
  ["skipped", "Skipped", "skipped array", "These were not pooled."],
  ["done_before", "Done before", "input", "An earlier run finished these."],
];

const KINDS = { source: "name", "written to": "name", message: "words", reason: "words", "what to do": "words" };
const NUMBERS = new Set(["min", "mean", "max", "zeros", "NaN"]);
const ALWAYS = new Set(["source", "message", "reason"]);

function verdict(facts) {
  if (facts.ended_by) return ["ended early", facts.ended_by, "bad"];
  if (facts.failed) return [`${countText(facts.failed)} failed`, "What succeeded is written.", "bad"];
  if (facts.exit_code) return ["nothing done", "No feature map was found.", "bad"];
  return ["all done", "", "good"];
}

function makeTop(facts, times) {
  const [word, more, kind] = verdict(facts);
  const totals = [...facts.totals, ...times.totals].map(([name, text]) =>
    element("div", { className: name === "failed" && text !== "0" ? "bad" : "" }, element("dt", {}, name), element("dd", {}, text)),
  );
  return element(
    "header",
    {},
    element("h1", {}, "gpool ", element("code", {}, facts.recipe), " ", element("span", { className: `badge ${kind}` }, word)),
    element("p", {}, element("bdi", {}, more)),
    element("dl", { className: "totals" }, ...totals),
  );
}

function columnsOf(names, rows, colours) {
  const place = Object.fromEntries(names.map((name, i) => [name, i]));
  const plain = names
    .filter((name) => !["low", "high", "strip"].includes(name))
    .map((name) => ({
      name: name === "zeros" ? "zero channels" : name,
      valueOf: (row) => row[place[name]],
      kind: NUMBERS.has(name) ? "number" : KINDS[name] ?? "text",
      first: NUMBERS.has(name) ? -1 : 1,
      always: ALWAYS.has(name),
    }));
  if ("strip" in place) plain.splice(1, 0, pictureColumn(place, rows, colours));
  return plain;
}

// Sorted by what is brightest in it.
function pictureColumn(place, rows, colours) {
  const scales = scalesOf(place, rows);
  return {
    name: "channels",
    kind: "picture",
    first: -1,
    always: true,
    valueOf: (row) => row[place.high],
    cellOf: (row) =>
      drawStrip(row[place.strip], row[place.low], row[place.high], scales.get(row[place.pooling]), colours),
  };
}

function scalesOf(place, rows) {
  const poolings = [...new Set(rows.map((row) => row[place.pooling]))];
  return new Map(
    poolings.map((pooling) => {
      const own = rows.filter((row) => row[place.pooling] === pooling);
      return [pooling, scaleOf(own.map((row) => row[place.low]), own.map((row) => row[place.high]))];
    }),
  );
}

function makeLegend(names, rows, colours) {
  const place = Object.fromEntries(names.map((name, i) => [name, i]));
  const said = [...scalesOf(place, rows)].map(([pooling, scale]) =>
    element("span", { className: "scale" }, `${pooling}: ${scale.low} `, gradient(colours), ` ${scale.high}`),
  );
  return element("p", { className: "legend" }, "Channels in order, neighbours together as their mean. ", ...said);
}

function makeList(facts, [name, title, noun, said]) {
  const rows = facts.rows[name];
  if (!rows.length) return [];
  const colours = tableOfColours(facts.colours);
  const parts = [makeTable(noun, rows, columnsOf(facts.columns[name], rows, colours), facts.counts[name])];
  if (name === "results") parts.unshift(makeLegend(facts.columns[name], rows, colours));
  if (said) parts.unshift(element("p", {}, said));
  const made = section(title, ...parts);
  made.id = name;
  return [made];
}

function makeCharts(facts, times) {
  const charts = [];
  if (facts.zeros) charts.push(makeZeros(facts.zeros));
  if (times.rates.length >= LEAST_SLOTS) charts.push(makePace(times));
  return charts.length ? [element("div", { className: "charts" }, ...charts)] : [];
}

function start() {
  const [facts, times] = ["facts", "times"].map((id) => JSON.parse(document.getElementById(id).textContent));
  const [failures, ...lists] = LISTS.map((list) => makeList(facts, list));
  document.getElementById("report").replaceChildren(
    makeTop(facts, times),
    ...failures,
    ...makeCharts(facts, times),
    ...lists.flat(),
    element("footer", {}, `gpool ${facts.gpool}`),
  );
}

start();
