// Languages down, arms across: the score, what is lost against the source, or what changed.
const LOSS = [[255, 255, 217], [199, 233, 180], [65, 182, 196], [34, 94, 168], [8, 29, 88]];
const CHANGE = [[140, 81, 10], [216, 179, 101], [245, 245, 245], [90, 180, 172], [1, 102, 94]];

function setUpMap() {
  if (!board.maps.length) return;
  byId("languages").hidden = false;
  const tested = board.maps.some((map) => map.columns.some((one) => one.tests.some(Boolean)));
  byId("map-controls").append(
    field("map-task", "Task", html("select", { id: "filter-map-task", onchange: drawMap }, board.maps.map((map, place) => html("option", { value: place }, map.task)))),
    field("map-show", "Show", html("select", { id: "filter-map-show", onchange: drawMap },
      html("option", { value: "scores" }, "score"),
      html("option", { value: "lost" }, `points lost against ${board.source}`),
      tested ? html("option", { value: "tests" }, `change against ${board.baseline}`) : "")),
  );
  byId("map-controls").addEventListener("submit", (event) => event.preventDefault());
  drawMap();
}

function drawMap() {
  hideTip();
  const map = board.maps[Number(byId("filter-map-task").value)];
  const show = byId("filter-map-show").value;
  const columns = show === "tests" ? map.columns.filter((one) => one.tests.some(Boolean)) : map.columns;
  const values = columns.map((column) => map.codes.map((_, place) => valueOf(map, column, place, show)));
  const every = values.flat().filter((one) => one !== null);
  const scale = colourScale(every, show);
  const table = html("table", {},
    html("thead", {}, html("tr", {}, html("th", { scope: "col" }, "language"), html("th", { scope: "col" }, "family"),
      columns.map((one) => html("th", { scope: "col" }, one.model, html("small", {}, one.strategy))))),
    html("tbody", {}, languageOrder(map).map(([place, first]) => html("tr", { class: first ? "first" : null },
      html("th", { scope: "row" }, `${languageName(map.codes[place])} `, html("span", { class: "tag" }, map.codes[place])),
      html("td", { class: "family" }, first || ""),
      columns.map((column, number) => mapCell(map, column, place, values[number][place], show, scale))))));
  byId("map").replaceChildren(every.length ? table : html("p", { class: "note" }, "Undefined here."));
  roving(table);
  byId("map-note").textContent = mapNote(show, every.length);
}

function valueOf(map, column, place, show) {
  const score = column.scores[place];
  if (show === "scores") return score && score[0];
  if (show === "tests") return column.tests[place] && column.tests[place][0][0];
  const source = column.scores[map.codes.indexOf(map.source)];
  return score && source && map.codes[place] !== map.source ? source[0] - score[0] : null;
}

// The source language first, then family by family; a family's first language carries its name.
function languageOrder(map) {
  const family = (place) => (map.codes[place] === map.source ? "" : familyOf(map.codes[place]));
  const places = map.codes.map((_, place) => place);
  places.sort((a, b) => family(a).localeCompare(family(b), "en"));
  return places.map((place, at) => [place, at && family(place) !== family(places[at - 1]) ? family(place) : null]);
}

function colourScale(values, show) {
  const low = Math.min(...values), high = Math.max(...values);
  if (show === "tests") {
    const reach = Math.max(1, Math.abs(low), Math.abs(high));
    return (value) => blend(CHANGE, (value + reach) / (2 * reach));
  }
  const place = (value) => (high > low ? (value - low) / (high - low) : 0);
  return (value) => blend(LOSS, show === "scores" ? 1 - place(value) : place(value));
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

function mapCell(map, column, place, value, show, scale) {
  const name = `${column.model}, ${column.strategy}, ${languageName(map.codes[place])}`;
  if (value === null) return withTip(html("td", {}, "—"), `${name}\n${column.why[place] || "nothing to compare with"}`);
  const test = show === "tests" ? column.tests[place] : null;
  const sure = test && test[1] !== null && test[1] < 0.05;
  const text = show === "tests" ? signed(value) : points(value);
  const cell = withTip(html("td", {}, sure ? html("strong", {}, `${text} *`) : text), `${name}\n${aboutCell(column, place, test)}`);
  const ground = scale(value);
  cell.style.backgroundColor = `rgb(${ground.join(", ")})`;
  cell.style.color = letters(ground);
  return cell;
}

function aboutCell(column, place, test) {
  if (test) {
    const p = test[1] === null ? "not testable" : `p = ${test[1]} after Holm's correction`;
    return `${signed(test[0][0])} ${interval(test[0], signed)}\n${p}; ${test[2]}`;
  }
  const score = column.scores[place];
  return `score ${points(score[0])} ${interval(score, points)}`;
}

function mapNote(show, some) {
  if (!some) return `There is no ${board.source} test set to count from.`;
  return {
    scores: "The darker, the lower the score of its language.",
    lost: `The darker, the more is lost against ${board.source}.`,
    tests: "Green: the language gained; brown: it lost. A star: p < 0.05 after Holm's correction over the task's languages.",
  }[show];
}
