// Pictures of the whole run: how often channels are 0, and what was done when.

function makeZeros(zeros) {
  const all = zeros.channels.reduce((a, b) => a + b);
  const most = Math.max(...zeros.channels);
  const rows = zeros.labels.map((label, i) => {
    const count = zeros.channels[i];
    const bar = element("div", { className: "bar" });
    bar.style.inlineSize = count ? `max(1px, ${(100 * count) / most}%)` : 0;
    return element(
      "tr",
      { className: label === "always" && count ? "dead" : "" },
      element("th", { scope: "row" }, label),
      element("td", { className: "bars" }, bar),
      element("td", { className: "number" }, countText(count)),
    );
  });
  const always = zeros.channels[zeros.channels.length - 1];
  const said = `${countText(always)} of ${countOf(all, "channel")} ${always === 1 ? "is" : "are"} 0 in every result. In what share of the maps each channel is 0:`;
  const head = ["of the maps", "", "channels"].map((text) => element("th", { scope: "col" }, text));
  return section(
    "Channels that are 0",
    element("p", {}, said),
    element("table", { className: "zeros" }, element("thead", {}, element("tr", {}, ...head)), element("tbody", {}, ...rows)),
  );
}

const SVG = "http://www.w3.org/2000/svg";

function makePace(times) {
  const said = `At most ${times.peak} in a slot of ${times.slot} s. A map counts when it is done.`;
  const most = Math.max(...times.rates, 1);
  let line = "M0 100";
  times.rates.forEach((rate, i) => (line += `V${100 - (100 * rate) / most}H${i + 1}`));
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", `0 -2 ${times.rates.length} 102`);
  svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", `throughput over ${times.duration}, ${times.peak} at most`);
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", `${line}V100Z`);
  svg.append(path);
  return section(
    "Throughput over time",
    element("p", {}, said),
    element(
      "figure",
      { className: "pace" },
      element("span", { className: "top" }, times.peak),
      svg,
      element("figcaption", {}, element("span", {}, "0 s"), element("span", {}, times.duration)),
    ),
  );
}
