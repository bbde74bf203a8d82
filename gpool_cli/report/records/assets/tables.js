// A table of any length: sorted by a click on a header, filtered by words, shown page by page.

const PAGE_ROWS = 100;

// A column has a name and valueOf(row); cellOf(row) where more than the value is shown.
function makeTable(noun, rows, columns, total) {
  const { shown, same } = splitColumns(rows, columns);
  const textOf = (row) => shown.filter((c) => !c.cellOf).map((c) => c.valueOf(row)).join("\n");
  const filter = makeFilter(rows, textOf);
  const state = { text: "", by: null, direction: 1, order: filter(""), page: 0 };
  const body = element("tbody", { role: "rowgroup" });
  const status = element("p", { className: "status", role: "status" });
  const pager = makePager((page) => show(page));
  const headers = shown.map((column) => makeHeader(column, () => sortBy(column)));

  function arrange() {
    state.order = filter(state.text);
    if (state.by) sorted(state.order, (i) => state.by.valueOf(rows[i]), state.direction);
    show(0);
  }

  function sortBy(column) {
    state.direction = state.by === column ? -state.direction : column.first ?? 1;
    state.by = column;
    headers.forEach((header, i) => {
      if (shown[i] !== column) header.removeAttribute("aria-sort");
      else header.setAttribute("aria-sort", state.direction > 0 ? "ascending" : "descending");
    });
    arrange();
  }

  function show(page) {
    state.page = page;
    const first = page * PAGE_ROWS;
    const places = state.order.slice(first, first + PAGE_ROWS);
    body.replaceChildren(...places.map((i) => makeRow(rows[i], shown)));
    status.textContent = statusText(noun, first, places.length, state.order.length, rows.length, total);
    pager.update(page, Math.ceil(state.order.length / PAGE_ROWS));
  }

  const head = element("thead", { role: "rowgroup" }, element("tr", { role: "row" }, ...headers));
  const table = element("table", { role: "table", "aria-label": `${noun}s` }, head, body);
  const parts = [element("div", { className: "scroll", tabIndex: 0, role: "region", "aria-label": `${noun}s` }, table)];
  if (same.length) parts.unshift(element("p", { className: "same" }, `all: ${same.join(" · ")}`));
  if (rows.length > 1) parts.unshift(makeSearch(noun, (text) => ((state.text = text), arrange())));
  arrange();
  return element("div", { className: "table" }, ...parts, element("div", { className: "foot" }, status, pager.bar));
}

// What is the same in all rows is said once; what is nothing in all is not said.
function splitColumns(rows, columns) {
  const shown = [];
  const same = [];
  for (const column of columns) {
    const value = column.valueOf(rows[0]);
    const varied = rows.some((row) => column.valueOf(row) !== value);
    if (varied || column.always || (rows.length === 1 && value !== "" && value !== null)) shown.push(column);
    else if (value !== "" && value !== null) same.push(`${column.name} ${cellText(value)}`);
  }
  return { shown, same };
}

function makeHeader(column, onClick) {
  const button = element("button", { type: "button" }, column.name);
  button.addEventListener("click", onClick);
  return element("th", { scope: "col", role: "columnheader", className: column.kind }, button);
}

function makeRow(row, columns) {
  const cells = columns.map((column) => {
    const value = column.valueOf(row);
    const content = column.cellOf ? column.cellOf(row) : element("bdi", {}, cellText(value));
    const cell = element("td", { role: "cell", className: column.kind }, content);
    cell.dataset.name = column.name;
    if (column.kind === "name") cell.title = value;
    return cell;
  });
  return element("tr", { role: "row" }, ...cells);
}

function cellText(value) {
  if (value === null) return "";
  return Number.isInteger(value) && Math.abs(value) < 1e15 ? countText(value) : String(value);
}

function makeSearch(noun, onText) {
  const input = element("input", { type: "search", autocomplete: "off", spellcheck: false });
  input.placeholder = "words, anywhere in a row";
  input.addEventListener("input", () => onText(input.value));
  return element("label", { className: "search" }, `Filter ${noun}s`, input);
}

function makePager(onPage) {
  const steps = [
    ["First", () => 0],
    ["Previous", (page) => page - 1],
    ["Next", (page) => page + 1],
    ["Last", (page, pages) => pages - 1],
  ];
  const buttons = steps.map(([text]) => element("button", { type: "button" }, text));
  const bar = element("nav", { className: "pager", "aria-label": "pages" }, ...buttons);
  let now = 0;
  let count = 0;
  buttons.forEach((button, i) => button.addEventListener("click", () => onPage(steps[i][1](now, count))));
  return {
    bar,
    update(page, pages) {
      now = page;
      count = pages;
      bar.hidden = pages <= 1;
      buttons.forEach((button, i) => (button.disabled = i < 2 ? page === 0 : page >= pages - 1));
    },
  };
}

function statusText(noun, first, shown, found, rows, total) {
  const parts = [];
  if (shown < found) parts.push(`${countText(first + 1)} to ${countText(first + shown)} of`);
  parts.push(found < rows ? `${countText(found)} of ${countOf(rows, noun)}` : countOf(rows, noun));
  if (rows < total) parts.push(`(the first of ${countText(total)}; a report in JSON has all)`);
  return parts.join(" ");
}
