// Languages down, arms across: the score, what is lost against the source, or what changed.
const LOSS = [[255, 255, 217], [199, 233, 180], [65, 182, 196], [34, 94, 168], [8, 29, 88]];
const CHANGE = [[140, 81, 10], [216, 179, 101], [245, 245, 245], [90, 180, 172], [1, 102, 94]];
const WIDE = 40;  // columns beside each other; a filter finds the others
const SURE = 500;  // p in ten thousandths

function setUpMap() {
  if (!board.maps.length) return;
  byId("languages").hidden = false;
  const tested = board.maps.some((map) => map.columns.some((column) => column.change));
  byId("map-controls").append(
    select("filter-map-task", words.task, board.maps.map((map, value) => ({ value, label: map.task })), drawMap),
    select("filter-map-show", "show", [
      { value: "scores", label: "score" },
      { value: "lost", label: `points lost against ${board.source}` },
      ...(tested ? [{ value: "change", label: `change against ${board.baseline}` }] : []),
    ], drawMap),
    board.strategies.length > 1 ? select("filter-map-strategy", words.strategy, ["every", ...named(board.strategies)], drawMap) : "",
    html("label", { for: "filter-map-model" }, words.model, html("input", { id: "filter-map-model", type: "search", placeholder: "part of a name", autocomplete: "off", oninput: drawMap })),
  );
  byId("map-controls").addEventListener("submit", (event) => event.preventDefault());
  drawMap();
}

// The columns that the fields leave, their numbers unpacked.
function mapColumns(map, show) {
  const strategy = byId("filter-map-strategy")?.value ?? "every";
  const part = byId("filter-map-model").value.trim().toLowerCase();
  return map.columns.filter((column) => (strategy === "every" || strategy === `=${column.strategy}`) &&
    column.model.toLowerCase().includes(part) && column[show]);
}

function drawMap() {
  hideTip();
  const map = board.maps[Number(byId("filter-map-task").value)];
  const show = byId("filter-map-show").value;
  const fitting = mapColumns(map, show);
  const columns = fitting.slice(0, WIDE).map((column) => ({ ...column, numbers: unpack(column[show]),
    low: column.low ? unpack(column.low) : null, high: column.high ? unpack(column.high) : null, p: column.p ? unpack(column.p) : null }));
  const values = columns.flatMap((column) => column.numbers).filter((value) => value !== null);
  const scale = colourScale(values, show);
  const table = html("table", {},
    html("thead", {}, html("tr", {}, html("th", { scope: "col" }, "language"), html("th", { scope: "col" }, "family"),
      columns.map((column) => html("th", { scope: "col" }, column.model, html("small", {}, column.strategy))))),
    html("tbody", {}, languageOrder(map).map(([index, first]) => html("tr", { class: first ? "first" : null },
      html("th", { scope: "row" }, `${languageName(map.codes[index])} `, html("span", { class: "tag" }, map.codes[index])),
      html("td", { class: "family" }, first || ""),
      columns.map((column) => mapCell(map, column, index, show, scale))))));
  byId("map").replaceChildren(values.length ? table : html("p", { class: "note" }, "Undefined here."));
  roving(table);
  byId("map-note").textContent = mapNote(show, values.length) + (fitting.length > WIDE ? ` ${WIDE} of ${fitting.length} arms are shown: the fields above find the others.` : "");
}

// The source language first, then family by family; a family's first language carries its name.
function languageOrder(map) {
  const family = (index) => (map.codes[index] === map.source ? "" : familyOf(map.codes[index]));
  const indexes = map.codes.map((_, index) => index);
  indexes.sort((a, b) => family(a).localeCompare(family(b), "en"));
  return indexes.map((index, at) => [index, at && family(index) !== family(indexes[at - 1]) ? family(index) : null]);
}

function colourScale(values, show) {
  const low = Math.min(...values), high = Math.max(...values);
  if (show === "change") {
    const reach = Math.max(10, Math.abs(low), Math.abs(high));
    return (value) => blend(CHANGE, (value + reach) / (2 * reach));
  }
  const share = (value) => (high > low ? (value - low) / (high - low) : 0);
  return (value) => blend(LOSS, show === "scores" ? 1 - share(value) : share(value));
}

function blend(stops, share) {
  const at = Math.max(0, Math.min(1, share)) * (stops.length - 1);
  const first = Math.min(Math.floor(at), stops.length - 2);
  return stops[first].map((one, channel) => Math.round(one + (stops[first + 1][channel] - one) * (at - first)));
}

// Black or white letters, whichever stand out more (WCAG 2.2, relative luminance).
function letters(colours) {
  const [red, green, blue] = colours.map((one) => (one <= 10.3 ? one / 3294.6 : ((one / 255 + 0.055) / 1.055) ** 2.4));
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.179 ? "#000000" : "#ffffff";
}

function mapCell(map, column, index, show, scale) {
  const name = `${column.model}, ${column.strategy}, ${languageName(map.codes[index])}`;
  const value = column.numbers[index];
  if (value === null) return withTip(html("td", {}, "—"), () => `${name}\n${board.texts[column.why?.[index]] || "nothing to compare with"}`);
  const sure = show === "change" && column.p[index] !== null && column.p[index] < SURE;
  const shown = show === "change" ? signed(value) : points(value);
  const cell = withTip(html("td", {}, sure ? html("strong", {}, `${shown} *`) : shown), () => `${name}\n${aboutCell(column, index, show)}`);
  const ground = scale(value);
  cell.style.backgroundColor = `rgb(${ground.join(", ")})`;
  cell.style.color = letters(ground);
  return cell;
}

function aboutCell(column, index, show) {
  const value = column.numbers[index];
  if (show === "change") {
    const p = column.p[index];
    return `${signed(value)}\n${p === null ? "not testable" : `p = ${(p / 10000).toFixed(4)} after Holm's correction`}`;
  }
  if (show === "lost" || !column.low || column.low[index] === null) return points(value);
  return `score ${points(value)} [${points(column.low[index])}, ${points(column.high[index])}]`;
}

function mapNote(show, some) {
  if (!some) return `There is nothing to show: no ${board.source} test set, or no such arm.`;
  return {
    scores: "The darker, the lower the score of its language.",
    lost: `The darker, the more is lost against ${board.source}.`,
    change: "Green: the language gained; brown: it lost. A star: p < 0.05 after Holm's correction over the task's languages.",
  }[show];
}
