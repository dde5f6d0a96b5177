// The board: one row for each arm, on average or on a task; sorted by header, filtered by fields.
const view = { column: null, down: false };
const tasked = () => byId("filter-task").value !== "average";

const COLUMNS = [
  { name: "model", word: true, value: (row) => row.model, cell: (row) => modelCell(row) },
  { name: "strategy", word: true, value: (row) => row.strategy, cell: (row) => html("td", { class: "word" }, strategyKey(row.strategy), row.strategy) },
  { name: "task", word: true, value: (row) => row.task || "", cell: (row) => taskCell(row), when: tasked },
  { name: "size", value: (row) => board.models[row.model].body, cell: (row) => sizeCell(row) },
  { name: board.source, value: (row) => row.source && row.source[0], cell: (row) => numberCell(row, "source", points) },
  { name: "others", value: (row) => row.mean && row.mean[0], cell: (row) => numberCell(row, "mean", points) },
  { name: `others ○ – ● ${board.source}`, fixed: true, cell: (row) => html("td", {}, dumbbell(row)) },
  { name: "gap", value: (row) => row.gap && row.gap[0], cell: (row) => numberCell(row, "gap", points) },
  { name: `change against ${board.baseline}`, value: (row) => row.change_gap && row.change_gap[0], cell: (row) => changeCell(row, "change_gap", 0) },
  { name: "change of others", value: (row) => row.change_mean && row.change_mean[0], cell: (row) => changeCell(row, "change_mean", 1) },
  { name: "relative gap", value: (row) => row.relative && row.relative[0], cell: (row) => numberCell(row, "relative", ratio) },
  { name: "retention", value: (row) => row.retention && row.retention[0], cell: (row) => numberCell(row, "retention", ratio), when: tasked },
  { name: "worst", word: true, value: (row) => row.worst ? languageName(row.worst) : null, cell: (row) => html("td", { class: "word" }, row.worst ? languageName(row.worst) : "—"), when: tasked },
  { name: "seeds", value: (row) => row.seeds, cell: (row) => html("td", {}, String(row.seeds || "—")) },
];

function strategyKey(strategy) {
  return svg("svg", { class: "key", viewBox: "0 0 10 10", width: 10, height: 10, "aria-hidden": "true" }, marker(strategy, 5, 5, 8));
}

function modelCell(row) {
  const tag = row.provenance === "published" ? html("span", { class: "tag" }, "published") : null;
  const cell = html("th", { scope: "row" }, row.notes.length ? html("span", { class: "dotted" }, row.model) : row.model, tag);
  return row.notes.length ? withTip(cell, row.notes.join("\n")) : cell;
}

function taskCell(row) {
  if (row.task === null) return html("td", { class: "word" }, html("em", {}, "average"));
  return html("td", { class: "word" }, row.task);
}

function sizeCell(row) {
  const { body, total } = board.models[row.model];
  return withTip(html("td", {}, parameters(body)), body ? `${parameters(body)} outside the embedding, ${parameters(total)} in all` : "the size is not known");
}

function numberCell(row, name, show) {
  const found = row[name];
  if (!found) return withTip(html("td", {}, html("span", { class: "dotted" }, name === "gap" ? "undefined" : "—")), missing(row, name));
  const near = name === "gap" && row.near.length > 0;
  const text = near ? html("span", { class: "dotted" }, show(found[0])) : show(found[0]);
  return withTip(html("td", {}, text, found[1] === null ? null : html("small", {}, interval(found, show))), about(row, found, show, near));
}

function missing(row, name) {
  if (name === "retention" && row.mean && row.source) return row.near.length ? "near chance: a ratio would be noise over noise" : "chance is not defined for this metric";
  if (name === "relative" && row.gap) return "near chance: a ratio would be noise over noise";
  return row.why || "not measured";
}

function about(row, found, show, near) {
  const lines = [`${show(found[0])} ${interval(found, show)}`.trim()];
  lines.push(found[1] === null ? (row.seeds === null ? "No interval: its source gives one number." : "No interval: one seed, and no per-item evidence.") : `95% interval over ${row.over.join(" and ")}; ${plural(row.seeds, "seed")}.`);
  if (near) lines.push(`Near chance on ${row.near.join(", ")}: a small gap says little.`);
  return lines.join("\n");
}

// `better`: which way is good; 0 for the gap, because a narrower one is not better by itself.
function changeCell(row, name, better) {
  if (row.strategy === board.baseline) return withTip(html("td", {}, "—"), `${board.baseline} is what changes are counted from`);
  const found = row[name];
  if (!found) return withTip(html("td", {}, html("span", { class: "dotted" }, "undefined")), row.why_change || row.why || "not measured");
  const way = direction(found) * better;
  const verdict = way > 0 ? "better" : way < 0 ? "worse" : null;
  const told = direction(found) < 0 ? "below" : "above";
  const said = direction(found) ? `The interval lies ${told} zero.` : "The interval includes zero: the data can't tell.";
  const lines = [about(row, found, signed, false), found[1] === null ? "This may be chance." : said];
  if (found[3] !== null) lines.push(`Four in five such studies would notice a true change of ${points(found[3])} or more.`);
  return withTip(html("td", {}, html("span", { class: verdict }, signed(found[0])), found[1] === null ? null : html("small", {}, interval(found, signed))), lines.join("\n"));
}

// Source language and mean of the others on one line from 0 to 100; the bar is the gap.
function dumbbell(row) {
  if (!row.mean) return "—";
  const x = (value) => 6 + (value / 100) * 108;
  const others = x(row.mean[0]), source = row.source ? x(row.source[0]) : null;
  const told = `${board.source} ${row.source ? points(row.source[0]) : "none"}, others ${points(row.mean[0])}`;
  return svg("svg", { width: 120, height: 18, viewBox: "0 0 120 18", role: "img", "aria-label": told },
    svg("line", { class: "track", x1: 6, x2: 114, y1: 9, y2: 9, stroke: "var(--rule)" }),
    source === null ? null : svg("line", { x1: others, x2: source, y1: 9, y2: 9, stroke: colour(row.strategy), "stroke-width": 3 }),
    svg("circle", { cx: others, cy: 9, r: 4, fill: "var(--card)", stroke: colour(row.strategy), "stroke-width": 2 }),
    source === null ? null : svg("circle", { cx: source, cy: 9, r: 5, fill: colour(row.strategy) }));
}

function setUpTable() {
  const families = [...new Set(Object.values(board.models).map((one) => one.family).filter(Boolean))];
  const provenances = [...new Set(board.rows.map((row) => row.provenance).filter(Boolean))];
  byId("filters").append(
    field("model", "Model", html("input", { id: "filter-model", type: "search", placeholder: "part of a name", autocomplete: "off", oninput: fillTable })),
    select("strategy", "Strategy", ["every", ...board.strategies]),
    select("task", "Task", ["average", "every", ...board.tasks], averages() ? "average" : "every"),
    families.length ? select("family", "Model family", ["every", ...families]) : "",
    provenances.length > 1 ? select("provenance", "Measured or published", ["every", ...provenances]) : "",
  );
  byId("filters").addEventListener("submit", (event) => event.preventDefault());
  fillTable();
}

// Whether averages are what most arms have; publications seldom share a task.
function averages() {
  const every = board.rows.filter((row) => row.task === null);
  return every.filter((row) => row.gap).length * 2 >= every.length;
}

const field = (name, label, control) => html("label", { for: `filter-${name}` }, label, control);

// Options carry a prefix, so that a task named "every" is not taken for all of them.
function select(name, label, options, first = options[0]) {
  const fixed = options.findIndex((one) => one !== "every" && one !== "average");
  return field(name, label, html("select", { id: `filter-${name}`, onchange: fillTable },
    options.map((one, place) => html("option", { value: place < fixed ? one : `=${one}`, selected: place < fixed && one === first }, one))));
}

function wanted(row) {
  const chosen = (name) => byId(`filter-${name}`)?.value ?? "every";
  const fits = (name, value) => chosen(name) === "every" || chosen(name) === `=${value}`;
  const part = byId("filter-model").value.trim().toLowerCase();
  const task = chosen("task");
  return row.model.toLowerCase().includes(part) && fits("strategy", row.strategy) &&
    (task === "average" ? row.task === null : row.task !== null && (task === "every" || task === `=${row.task}`)) &&
    fits("family", board.models[row.model].family) && fits("provenance", row.provenance);
}

// Undefined numbers stay at the end, whichever way is sorted.
function compare(column) {
  const way = view.down ? -1 : 1;
  return (one, other) => {
    const [a, b] = [column.value(one), column.value(other)];
    const gone = (value) => value === null || value === undefined;
    if (gone(a) || gone(b)) return gone(a) - gone(b);
    return way * (typeof a === "string" ? a.localeCompare(b, "en") : a - b);
  };
}

function fillTable() {
  hideTip();
  const columns = COLUMNS.filter((one) => !one.when || one.when());
  const rows = board.rows.filter(wanted);
  const sorted = columns.find((one) => one.name === view.column);
  if (sorted) rows.sort(compare(sorted));
  const table = html("table", {},
    html("thead", {}, html("tr", {}, columns.map(header))),
    html("tbody", {}, rows.map((row) => html("tr", { "data-model": row.model, "data-strategy": row.strategy }, columns.map((one) => one.cell(row))))));
  byId("table").replaceChildren(table);
  roving(table);
  byId("count").textContent = `${plural(rows.length, "row")} of ${board.rows.length}` + pools(rows);
}

// Averages of one provenance and protocol stand on the same tasks; those of another may not.
function pools(rows) {
  const told = new Set(rows.filter((row) => row.task === null && row.tasks.length).map((row) => `${row.provenance}, ${row.protocol}: averages over ${row.tasks.join(", ")}`));
  return told.size ? ` · ${[...told].join(" · ")}` : "";
}

function header(column) {
  const kind = { scope: "col", class: column.word ? "word" : null };
  if (column.fixed) return html("th", kind, html("span", { class: "ends" }, column.name));
  const sort = view.column !== column.name ? "none" : view.down ? "descending" : "ascending";
  return html("th", { ...kind, "aria-sort": sort }, html("button", { type: "button", class: "sort", "data-column": column.name, onclick: () => sortBy(column) }, column.name));
}

// First the larger numbers, and words from A; then the other way round.
function sortBy(column) {
  view.down = view.column === column.name ? !view.down : !column.word;
  view.column = column.name;
  fillTable();
  [...document.querySelectorAll(".sort")].find((one) => one.dataset.column === column.name)?.focus();
}
