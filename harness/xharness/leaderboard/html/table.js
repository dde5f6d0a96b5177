// All numbers: one row for each arm, on average or on a task; sorted by header, filtered by fields.
const view = { column: null, down: false, most: 0 };
const PART = 150;  // rows shown before a reader asks for more
const tasked = () => byId("filter-task").value !== "average";

const COLUMNS = [
  { name: words.model, word: true, value: (row) => row.model, cell: (row) => modelCell(row) },
  { name: words.strategy, word: true, value: (row) => row.strategy, cell: (row) => html("td", { class: "word" }, row.strategy) },
  { name: words.task, word: true, value: (row) => taskName(row), cell: (row) => html("td", { class: "word" }, row.task === null ? html("em", {}, "average") : taskName(row)), when: tasked },
  { name: words.body, value: (row) => board.models[row.model].body, cell: (row) => sizeCell(row) },
  { name: words.source, value: (row) => row.source && row.source[0], cell: (row) => numberCell(row, "source", points) },
  { name: words.others, value: (row) => row.others && row.others[0], cell: (row) => numberCell(row, "others", points) },
  { name: words.gap, value: (row) => row.gap && row.gap[0], cell: (row) => numberCell(row, "gap", points) },
  { name: words.change_gap, value: (row) => row.change_gap && row.change_gap[0], cell: (row) => changeCell(row, "change_gap") },
  { name: words.change_others, value: (row) => row.change_others && row.change_others[0], cell: (row) => changeCell(row, "change_others") },
  { name: words.reads, word: true, value: (row) => row.reads || null, cell: (row) => html("td", { class: row.claim ? "word claim" : "word" }, row.reads || (isBaseline(row.strategy) ? "baseline" : "—")), when: () => !tasked() },
  { name: words.detectable, fixed: true, cell: (row) => html("td", {}, row.detectable || "—") },
  { name: words.retention, value: (row) => row.retention && row.retention[0], cell: (row) => numberCell(row, "retention", ratio) },
  { name: words.lowest, word: true, value: (row) => (row.lowest ? languageName(row.lowest) : null), cell: (row) => html("td", { class: "word" }, row.lowest ? languageName(row.lowest) : "—"), when: tasked },
  { name: words.seeds, value: (row) => row.seeds, cell: (row) => html("td", {}, String(row.seeds || "—")) },
];

const taskName = (row) => (row.task === null ? "" : board.tasks[row.task]);
const poolOf = (row) => text(row.pool).join("");

function modelCell(row) {
  const notes = text(row.notes);
  const tag = poolOf(row).startsWith("published") ? html("span", { class: "tag" }, "published") : null;
  const cell = html("th", { scope: "row" }, notes.length ? html("span", { class: "dotted" }, row.model) : row.model, tag);
  return notes.length ? withTip(cell, () => notes.join("\n")) : cell;
}

function sizeCell(row) {
  const { body, total } = board.models[row.model];
  return withTip(html("td", {}, parameters(body)), () => (body ? `${parameters(body)} outside the embedding, ${parameters(total)} in all` : "the size is not known"));
}

function numberCell(row, name, show) {
  const number = row[name];
  if (!number) return withTip(html("td", {}, html("span", { class: "dotted" }, name === "gap" ? "undefined" : "—")), () => missing(row, name));
  return withTip(html("td", {}, show(number[0]), number.length > 2 ? html("small", {}, interval(number, show)) : null), () => about(row, number, show));
}

function missing(row, name) {
  if (name === "retention" && row.gap) return "a ratio of a task that was not learnt would be noise over noise";
  return text(row.why)[0] || "not measured";
}

function about(row, number, show) {
  const covers = text(row.covers)[0];
  const none = row.seeds === undefined ? "No interval: its source gives one number." : "No interval: one seed, and no per-item evidence.";
  return [`${show(number[0])} ${interval(number, show)}`.trim(),
    number.length > 2 ? `95% interval over ${covers || "items"}; ${plural(row.seeds || 0, "seed")}.` : none].join("\n");
}

function changeCell(row, name) {
  if (isBaseline(row.strategy)) return withTip(html("td", {}, "—"), () => `${board.baseline} is what changes are counted from`);
  const number = row[name];
  if (!number) return withTip(html("td", {}, html("span", { class: "dotted" }, "undefined")), () => text(row.why_change)[0] || text(row.why)[0] || "not measured");
  const cell = html("td", {}, signed(number[0]), number.length > 2 ? html("small", {}, interval(number, signed)) : null);
  return withTip(cell, () => [about(row, number, signed),
    row.reads ? `Reads as: ${row.reads}. Words are corrected for all of the board's tests, intervals are not.` : "A single task carries no word.",
    row.seeds < 3 ? "Fewer than three seeds: the interval knows nothing of the luck of training." : ""].filter(Boolean).join("\n"));
}

function setUpTable() {
  const families = [...new Set(Object.values(board.models).map((model) => model.family).filter(Boolean))];
  const pools = [...new Set(board.rows.map(poolOf))];
  const refill = () => { view.most = 0; fillTable(); };
  byId("filters").append(
    html("label", { for: "filter-model" }, words.model, html("input", { id: "filter-model", type: "search", placeholder: "part of a name", autocomplete: "off", oninput: refill })),
    select("filter-strategy", words.strategy, ["every", ...named(board.strategies)], refill),
    select("filter-task", words.task, ["average", "every", ...named(board.tasks)], refill, averages() ? "average" : "every"),
    families.length ? select("filter-family", "model family", ["every", ...named(families)], refill) : "",
    pools.length > 1 ? select("filter-pool", "measured how", ["every", ...named(pools)], refill) : "",
  );
  byId("filters").addEventListener("submit", (event) => event.preventDefault());
  byId("more").addEventListener("click", () => { view.most += 5; fillTable(); });
  fillTable();
}

// Whether averages are what most arms have; publications seldom share a task.
function averages() {
  const rows = averageRows();
  return rows.filter((row) => row.gap).length * 2 >= rows.length;
}

function wanted(row) {
  const chosen = (name) => byId(`filter-${name}`)?.value ?? "every";
  const fits = (name, value) => chosen(name) === "every" || chosen(name) === `=${value}`;
  const part = byId("filter-model").value.trim().toLowerCase();
  const task = chosen("task");
  return row.model.toLowerCase().includes(part) && fits("strategy", row.strategy) &&
    (task === "average" ? row.task === null : row.task !== null && (task === "every" || task === `=${taskName(row)}`)) &&
    fits("family", board.models[row.model].family) && fits("pool", poolOf(row));
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
  const columns = COLUMNS.filter((column) => !column.when || column.when());
  const rows = board.rows.filter(wanted);
  const sorted = columns.find((column) => column.name === view.column);
  if (sorted) rows.sort(compare(sorted));
  const shown = rows.slice(0, PART * (1 + view.most));
  const table = html("table", {},
    html("thead", {}, html("tr", {}, columns.map(header))),
    html("tbody", {}, shown.map((row) => html("tr", { class: isBaseline(row.strategy) ? "base" : null, "data-model": row.model, "data-strategy": row.strategy }, columns.map((column) => column.cell(row))))));
  byId("table").replaceChildren(table);
  roving(table);
  const more = rows.length - shown.length;
  byId("more").hidden = more <= 0;
  byId("more").textContent = `Show ${Math.min(more, PART * 5)} more`;
  byId("count").textContent = `${plural(rows.length, "row")} of ${board.rows.length}` + pools(rows);
}

// Averages of one provenance and protocol stand on the same tasks; those of another may not.
function pools(rows) {
  const told = new Set(rows.filter((row) => row.task === null && row.tasks.length).map((row) => `${poolOf(row)}: averages over ${row.tasks.map((task) => board.tasks[task]).join(", ")}`));
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
  [...document.querySelectorAll(".sort")].find((button) => button.dataset.column === column.name)?.focus();
}
