// Gap, or its change, over model size: whiskers are intervals, the line is the trend of all models.
const sizeChart = { measure: "gap", axis: "body", set: null, hidden: new Set() };
const familyLabel = (model) => board.models[model].family || "no family named";

// Rows that may stand in one picture: of one provenance and protocol, on average or on one task.
const setOf = (row) => JSON.stringify([row.provenance, row.protocol, row.task]);

function sizePoints() {
  return board.rows.filter((row) =>
    setOf(row) === sizeChart.set && row[sizeChart.measure] && board.models[row.model][sizeChart.axis]);
}

// The sets that have two sizes, averages first, and what a reader calls them.
function sizeSets() {
  const found = new Map();
  for (const row of board.rows) {
    const size = board.models[row.model].body;
    if (row.gap && size) found.set(setOf(row), new Set([...(found.get(setOf(row)) || []), size]));
  }
  const sets = [...found].filter(([, sizes]) => sizes.size > 1).map(([set]) => JSON.parse(set));
  const pools = new Set(sets.map((one) => one.slice(0, 2).join(", ")));
  return sets.map((one) => [JSON.stringify(one),
    (one[2] === null ? "average over tasks" : one[2]) + (pools.size > 1 ? ` (${one[0]}, ${one[1]})` : "")]);
}

function setUpSizes() {
  const sets = sizeSets();
  if (!sets.length) return;
  const count = (set) => board.rows.filter((row) => setOf(row) === set && row.gap && board.models[row.model].body).length;
  sizeChart.set = sets.reduce((best, [set]) => (count(set) > count(best) ? set : best), sets[0][0]);
  byId("sizes").hidden = false;
  const families = [...new Set(board.rows.filter((row) => row.gap && board.models[row.model].body).map((row) => familyLabel(row.model)))];
  byId("size-controls").append(
    field("size-set", "Over", html("select", { id: "filter-size-set", onchange: changeSet },
      sets.map(([value, label]) => html("option", { value, selected: value === sizeChart.set }, label)))),
    choice("Show", "measure", [["gap", "gap"], ["change_gap", `change against ${board.baseline}`]]),
    choice("Size", "axis", [["body", "outside the embedding"], ["total", "all parameters"]]),
    toggles("Strategies", board.strategies, "strategy"),
    families.length > 1 ? toggles("Model families", families, "family") : "",
  );
  drawSizes();
  new ResizeObserver(() => { if (sizeWidth() !== sizeChart.width) drawSizes(); }).observe(byId("size-chart"));
}

function changeSet(event) {
  sizeChart.set = event.currentTarget.value;
  drawSizes();
}

// Buttons of which one is pressed.
function choice(legend, name, options) {
  const buttons = options.map(([value, label]) => html("button", {
    type: "button", class: "toggle", "aria-pressed": String(sizeChart[name] === value),
    onclick: (event) => {
      sizeChart[name] = value;
      buttons.forEach((one) => one.setAttribute("aria-pressed", String(one === event.currentTarget)));
      drawSizes();
    },
  }, label));
  return html("fieldset", { class: "group one" }, html("legend", {}, legend), html("div", {}, buttons));
}

// Buttons that show and hide, each for itself.
function toggles(legend, names, what) {
  const buttons = names.map((name) => html("button", {
    type: "button", class: "toggle", "aria-pressed": "true", "data-what": what, "data-name": name,
    onclick: (event) => {
      const key = `${what} ${name}`;
      if (!sizeChart.hidden.delete(key)) sizeChart.hidden.add(key);
      event.currentTarget.setAttribute("aria-pressed", String(!sizeChart.hidden.has(key)));
      drawSizes();
    },
  }, what === "strategy" ? swatch(name) : null, name));
  return html("fieldset", { class: "group" }, html("legend", {}, legend), html("div", {}, buttons));
}

const swatch = (strategy) =>
  svg("svg", { viewBox: "0 0 13 13", width: 13, height: 13, "aria-hidden": "true" },
    marker(strategy, 6.5, 6.5, 9));

const isShown = (row) => !sizeChart.hidden.has(`strategy ${row.strategy}`) &&
  !sizeChart.hidden.has(`family ${familyLabel(row.model)}`);

const sizeWidth = () => Math.max(280, byId("size-chart").clientWidth);

function drawSizes() {
  const width = sizeChart.width = sizeWidth();
  const every = sizePoints();
  const shown = every.filter(isShown);
  if (!every.length) {
    byId("size-chart").replaceChildren(html("p", { class: "note" }, "No number for this choice."));
    byId("size-note").textContent = "";
    return;
  }
  const scale = scales(every, width, 360);
  const picture = svg("svg", {
    viewBox: `0 0 ${width} 360`, role: "group",
    "aria-label": `${chartLabel()} over ${sizeLabel()}; ${plural(shown.length, "point")}`,
  }, axes(scale), shownTrends(shown, scale), names(shown, scale), shown.map((row) => pointOf(row, scale)));
  byId("size-chart").replaceChildren(picture);
  byId("size-note").textContent = sizeNote(shown);
}

const chartLabel = () => sizeChart.measure === "gap" ? "gap, points" :
  `change of the gap against ${board.baseline}, points`;
const sizeLabel = () => sizeChart.axis === "body" ? "parameters outside the embedding" : "parameters";

function scales(rows, width, height) {
  const sizes = rows.map((row) => board.models[row.model][sizeChart.axis]);
  const ends = rows.flatMap((row) => row[sizeChart.measure].slice(0, 3).filter((one) => one !== null));
  const [left, right, top, bottom] = [44, 16, 30, 46];
  const low = Math.log(Math.min(...sizes) / 1.7), high = Math.log(Math.max(...sizes) * 1.7);
  const floor = Math.min(0, ...ends), roof = Math.max(0, ...ends);
  const pad = (roof - floor) * 0.06 || 1;
  const from = floor < 0 ? floor - pad : 0, to = roof > 0 ? roof + pad : 0;
  return {
    width, height, left, right, top, bottom, from, to,
    smallest: Math.exp(low), largest: Math.exp(high),
    x: (size) => left + ((Math.log(size) - low) / (high - low)) * (width - left - right),
    y: (value) => top + ((to - value) / (to - from)) * (height - top - bottom),
  };
}

function axes(scale) {
  const lines = [];
  for (const value of steps(scale.from, scale.to)) {
    const y = scale.y(value);
    lines.push(
      svg("line", { class: value === 0 ? "zero" : "grid", x1: scale.left, x2: scale.width - scale.right, y1: y, y2: y }),
      svg("text", { x: scale.left - 8, y: y + 4, "text-anchor": "end" }, points(value).replace(".0", "")));
  }
  for (const size of sizeTicks(scale)) {
    lines.push(svg("text", { x: scale.x(size), y: scale.height - scale.bottom + 20, "text-anchor": "middle" },
      parameters(size).replace(".0", "")));
  }
  lines.push(
    svg("text", { x: scale.left, y: 14 }, chartLabel()),
    svg("text", { x: scale.width - scale.right, y: scale.height - 6, "text-anchor": "end" }, sizeLabel()));
  return lines;
}

// Round numbers between two ends, some five of them.
function steps(from, to) {
  const rough = (to - from) / 5;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].find((one) => one * power >= rough) * power;
  const found = [];
  for (let at = Math.ceil(from / step); at * step <= to; at += 1) found.push(at * step);
  return found;
}

function sizeTicks(scale) {
  const spread = scale.largest / scale.smallest;
  const kept = spread < 60 && scale.width > 480 ? [1, 2, 5] : spread < 2000 ? [1, 3] : [1];
  const found = [];
  for (let power = 0; power < 13; power += 1) {
    for (const one of kept) {
      const size = one * 10 ** power;
      if (size >= scale.smallest && size <= scale.largest) found.push(size);
    }
  }
  return found;
}

// Strategies of one model stand side by side.
function placeOf(row, scale) {
  const middle = (board.strategies.length - 1) / 2;
  const dodge = (board.strategies.indexOf(row.strategy) - middle) * 13;
  return scale.x(board.models[row.model][sizeChart.axis]) + dodge;
}

function pointOf(row, scale) {
  const [value, low, high] = row[sizeChart.measure];
  const x = placeOf(row, scale), y = scale.y(value);
  const whisker = low === null ? null :
    svg("line", { x1: x, x2: x, y1: scale.y(low), y2: scale.y(high), stroke: colour(row.strategy), "stroke-width": 2 });
  const show = sizeChart.measure === "gap" ? points : signed;
  const told = `${row.model}, ${row.strategy}: ${show(value)} ${interval(row[sizeChart.measure], show)}`;
  const group = svg("g", { class: "mark", tabindex: "0", role: "img", "aria-label": told, "data-model": row.model, "data-strategy": row.strategy },
    svg("circle", { class: "halo", cx: x, cy: y, r: 13, fill: colour(row.strategy) }),
    whisker, marker(row.strategy, x, y, 10));
  const sizes = `${parameters(board.models[row.model].body)} outside the embedding, ${parameters(board.models[row.model].total)} in all`;
  return withTip(group, `${told}\n${sizes}\n${board.source} ${points(row.source[0])}, mean of others ${points(row.mean[0])}`);
}

function names(shown, scale) {
  const models = [...new Set(shown.map((row) => row.model))];
  if (models.length > 8) return null;
  const taken = [];
  return models.map((model) => {
    const own = shown.filter((row) => row.model === model);
    const ends = own.map((row) => row[sizeChart.measure][2] ?? row[sizeChart.measure][0]);
    const x = scale.x(board.models[model][sizeChart.axis]);
    const anchor = x > scale.width * 0.75 ? "end" : x < scale.width * 0.2 ? "start" : "middle";
    const y = freeHeight(taken, x, scale.y(Math.max(...ends)) - 8, model.length * 7);
    return svg("text", { class: "name", x: x + { end: 14, start: -14, middle: 0 }[anchor], y, "text-anchor": anchor }, model);
  });
}

// Moved up until it lies on no name that is there already.
function freeHeight(taken, x, y, width) {
  const meets = (one) => Math.abs(one.x - x) < (one.width + width) / 2 && Math.abs(one.y - y) < 13;
  while (taken.some(meets)) y -= 13;
  taken.push({ x, y, width });
  return y;
}

// The pooled trend while all families are shown; a single family's own while only that one is.
function currentTrends(shown) {
  const of = sizeChart.measure === "gap" ? "gap" : "change";
  const axis = sizeChart.axis === "body" ? "non-embedding" : "total";
  const families = [...new Set(sizePoints().map((row) => familyLabel(row.model)))];
  const left = families.filter((one) => !sizeChart.hidden.has(`family ${one}`));
  const family = left.length === families.length ? null : left.length === 1 ? left[0] : undefined;
  const strategies = new Set(shown.filter((row) => row.task === null).map((row) => row.strategy));
  return board.trends.filter((one) =>
    one.of === of && one.axis === axis && one.family === family && strategies.has(one.strategy));
}

function shownTrends(shown, scale) {
  return currentTrends(shown).flatMap((trend) => {
    const x = trend.points.map((one) => Math.log2(one[1]));
    const mean = (every) => every.reduce((sum, one) => sum + one, 0) / every.length;
    const middle = mean(x), height = mean(trend.points.map((one) => one[2]));
    const ends = [Math.min(...x), Math.max(...x)];
    const at = (slope) => ends.map((one) => `${scale.x(2 ** one)},${scale.y(height + slope * (one - middle))}`);
    const [value, low, high] = trend.slope;
    const line = svg("polyline", { points: at(value).join(" "), fill: "none", stroke: colour(trend.strategy), "stroke-width": 2 });
    if (low === null) return [line];
    const centre = `${scale.x(2 ** middle)},${scale.y(height)}`;
    const wedge = (end) => svg("polygon", { points: [centre, at(low)[end], at(high)[end]].join(" "), fill: colour(trend.strategy), opacity: 0.14 });
    return [wedge(0), wedge(1), line];
  });
}

function sizeNote(shown) {
  const answers = currentTrends(shown).map((one) => one.answer);
  return answers.length ? answers.join(" ") : `Whiskers: 95% intervals. ${plural(shown.length, "point")} shown; no trend is drawn for this choice.`;
}
