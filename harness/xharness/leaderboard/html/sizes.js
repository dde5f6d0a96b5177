// The gap over model size: the baseline in grey, one strategy beside it.
const sizeChart = { measure: "gap", axis: "body", set: null, strategy: null };
const setOf = (row) => JSON.stringify([row.pool, row.task]);

function sizePoints() {
  return board.rows.filter((row) => setOf(row) === sizeChart.set && row[sizeChart.measure] &&
    board.models[row.model][sizeChart.axis] && (isBaseline(row.strategy) || row.strategy === sizeChart.strategy));
}

// The sets that have two sizes, averages first, and what a reader calls them.
function sizeSets() {
  const found = new Map();
  for (const row of board.rows) {
    const size = board.models[row.model].body;
    if (row.gap && size) found.set(setOf(row), new Set([...(found.get(setOf(row)) || []), size]));
  }
  const sets = [...found].filter(([, sizes]) => sizes.size > 1).map(([set]) => JSON.parse(set));
  const pools = new Set(sets.map((one) => String(one[0])));
  return sets.map((one) => ({ value: JSON.stringify(one),
    label: (one[1] === null ? "average over tasks" : board.tasks[one[1]]) + (pools.size > 1 ? ` (${text(one[0]).join("")})` : "") }));
}

function setUpSizes() {
  const sets = sizeSets();
  if (!sets.length) return;
  // Trends are of the board's first pool, so the chart opens on it.
  const first = sets.find((set) => String(JSON.parse(set.value)[0]) === String(board.pool)) ?? sets[0];
  sizeChart.set = first.value;
  const compared = board.strategies.filter((name) => !isBaseline(name) && board.rows.some((row) => row.strategy === name && row.gap && board.models[row.model].body));
  // What the headline claims first, else the strategy that most models have there.
  const count = (name) => new Set(board.rows.filter((row) => row.strategy === name && row.gap && setOf(row) === sizeChart.set).map((row) => row.model)).size;
  const claimed = board.headlines.find((line) => line.claim);
  sizeChart.strategy = claimed ? claimed.strategy : [...compared].sort((a, b) => count(b) - count(a))[0] ?? null;
  byId("sizes").hidden = false;
  byId("size-controls").append(
    select("filter-size-set", "Over", sets, (event) => { sizeChart.set = event.currentTarget.value; drawSizes(); }, first),
    compared.length ? select("filter-size-strategy", words.strategy, named(compared), (event) => { sizeChart.strategy = event.currentTarget.value.slice(1); drawSizes(); }, undefined) : "",
    compared.length ? choice("Show", sizeChart, "measure", [["gap", words.gap], ["change_gap", words.change_gap]], drawSizes) : "",
    choice("Size", sizeChart, "axis", [["body", words.body], ["total", "all parameters"]], drawSizes),
  );
  if (compared.length) byId("filter-size-strategy").value = `=${sizeChart.strategy}`;
  drawSizes();
  new ResizeObserver(() => { if (widthOf("size-chart") !== sizeChart.width) drawSizes(); }).observe(byId("size-chart"));
}

function drawSizes() {
  hideTip();
  const width = sizeChart.width = widthOf("size-chart");
  const rows = sizePoints();
  if (!rows.length) {
    byId("size-chart").replaceChildren(html("p", { class: "note" }, "No number for this choice."));
    byId("size-note").textContent = "";
    return;
  }
  const scale = scales(rows, width, 340);
  const picture = svg("svg", { viewBox: `0 0 ${width} 340`, role: "group", "aria-label": `${sizeTitle()} over ${sizeLabel()}; ${plural(rows.length, "point")}` },
    sizeAxes(scale), sizeTrends(rows, scale), rows.map((row) => pointOf(row, scale)), names(rows, scale));
  byId("size-chart").replaceChildren(picture);
  const answers = currentTrends().map((trend) => trend.answer).filter(Boolean);
  byId("size-note").textContent = [`Grey: ${board.baseline}. Lines up and down are 95% intervals.`, ...answers].join(" ");
}

const sizeTitle = () => `${words[sizeChart.measure]}, points`;
const sizeLabel = () => (sizeChart.axis === "body" ? "parameters outside the embedding" : "parameters");

function scales(rows, width, height) {
  const sizes = rows.map((row) => board.models[row.model][sizeChart.axis]);
  const ends = rows.flatMap((row) => row[sizeChart.measure]);
  const [left, right, top, bottom] = [44, 16, 30, 46];
  const low = Math.log(Math.min(...sizes) / 1.7), high = Math.log(Math.max(...sizes) * 1.7);
  const floor = Math.min(0, ...ends), roof = Math.max(0, ...ends);
  const pad = (roof - floor) * 0.08 || 10;
  const from = floor < 0 ? floor - pad : 0, to = roof > 0 ? roof + pad : 0;
  return {
    width, height, left, right, top, bottom, from, to,
    smallest: Math.exp(low), largest: Math.exp(high),
    x: (size) => left + ((Math.log(size) - low) / (high - low)) * (width - left - right),
    y: (value) => top + ((to - value) / (to - from)) * (height - top - bottom),
  };
}

function sizeAxes(scale) {
  const lines = steps(scale.from / 10, scale.to / 10, 5).map((value) => {
    const y = scale.y(value * 10);
    return [
      svg("line", { class: value === 0 ? "zero" : "grid", x1: scale.left, x2: scale.width - scale.right, y1: y, y2: y }),
      svg("text", { x: scale.left - 8, y: y + 4, "text-anchor": "end" }, minus(String(value)))];
  });
  const ticks = sizeTicks(scale).map((size) => svg("text", { x: scale.x(size), y: scale.height - scale.bottom + 20, "text-anchor": "middle" }, parameters(size).replace(".0", "")));
  return [lines, ticks,
    svg("text", { class: "name", x: scale.left, y: 14 }, sizeTitle()),
    svg("text", { x: scale.width - scale.right, y: scale.height - 6, "text-anchor": "end" }, sizeLabel())];
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

// The two strategies of one model stand side by side.
const xOf = (row, scale) => scale.x(board.models[row.model][sizeChart.axis]) + (isBaseline(row.strategy) ? -6 : 6);

function pointOf(row, scale) {
  const [value, low, high] = row[sizeChart.measure];
  const x = xOf(row, scale), y = scale.y(value);
  const whisker = low === undefined ? null :
    svg("line", { x1: x, x2: x, y1: scale.y(low), y2: scale.y(high), stroke: colour(row.strategy), "stroke-width": 2 });
  const show = sizeChart.measure === "gap" ? points : signed;
  const told = `${row.model}, ${row.strategy}: ${show(value)} ${interval(row[sizeChart.measure], show)}`.trim();
  const group = svg("g", { class: "mark", tabindex: "0", role: "img", "aria-label": told, "data-model": row.model, "data-strategy": row.strategy },
    svg("circle", { class: "halo", cx: x, cy: y, r: 13 }), whisker,
    svg("circle", { cx: x, cy: y, r: 5, stroke: colour(row.strategy), "stroke-width": 2, fill: isBaseline(row.strategy) ? "var(--card)" : colour(row.strategy) }));
  const { body, total } = board.models[row.model];
  return withTip(group, () => [told, `${parameters(body)} outside the embedding, ${parameters(total)} in all`, row.source ? `${board.source} ${points(row.source[0])}, ${words.others} ${points(row.others[0])}` : ""].filter(Boolean).join("\n"));
}

function names(rows, scale) {
  const models = [...new Set(rows.map((row) => row.model))];
  if (models.length > 12) return null;
  // Names lie on no point. A text hangs over its y, a point lies around it.
  const taken = rows.map((row) => ({ x: xOf(row, scale), y: scale.y(row[sizeChart.measure][0]) + 4, width: 12 }));
  return models.map((model) => {
    const spot = freeSpot(taken, spots(rows.filter((row) => row.model === model), scale));
    return svg("text", { class: "name", x: spot.x, y: spot.y, "text-anchor": "middle" }, model);
  });
}

// Where a model's name may stand: over its marks, or to either side of the highest.
function spots(rows, scale) {
  const values = rows.map((row) => row[sizeChart.measure]);
  const x = scale.x(board.models[rows[0].model][sizeChart.axis]), width = rows[0].model.length * 7;
  const beside = scale.y(Math.max(...values.map(([value]) => value))) + 4;
  const over = Math.max(26, scale.y(Math.max(...values.map(([value, , high]) => high ?? value))) - 8);
  const inside = Math.min(Math.max(x, scale.left + width / 2), scale.width - scale.right - width / 2);
  return [[inside, over], [x + 18 + width / 2, beside], [x - 18 - width / 2, beside]].map(([middle, y]) => ({ x: middle, y, width }));
}

// The first spot that nothing lies on; where there is none, under what lies on the first.
function freeSpot(taken, places) {
  const isFree = (spot) => !taken.some((other) => Math.abs(other.x - spot.x) < (other.width + spot.width) / 2 && Math.abs(other.y - spot.y) < 13);
  let spot = places.find(isFree) ?? places[0];
  while (!isFree(spot)) spot = { ...spot, y: spot.y + 13 };
  taken.push(spot);
  return spot;
}

function currentTrends() {
  const [pool, task] = JSON.parse(sizeChart.set);
  if (task !== null || String(pool) !== String(board.pool)) return [];
  const of = sizeChart.measure === "gap" ? "gap" : "change";
  const axis = sizeChart.axis === "body" ? "non-embedding" : "total";
  return board.trends.filter((trend) => trend.of === of && trend.axis === axis &&
    (trend.strategy === sizeChart.strategy || (of === "gap" && isBaseline(trend.strategy))));
}

// The slope is in hundredths of a point a doubling.
function sizeTrends(rows, scale) {
  // A line only where the slope is told from zero: one that is not would mislead.
  return currentTrends().filter((trend) => trend.word === "narrower" || trend.word === "wider").map((trend) => {
    const known = trend.points.filter(([model]) => board.models[model][sizeChart.axis]);
    const x = known.map(([model]) => Math.log2(board.models[model][sizeChart.axis]));
    const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
    const middle = mean(x), height = mean(known.map((point) => point[1]));
    const ends = [Math.min(...x), Math.max(...x)];
    const line = ends.map((end) => `${scale.x(2 ** end)},${scale.y(height + (trend.slope[0] / 10) * (end - middle))}`);
    return svg("polyline", { points: line.join(" "), fill: "none", stroke: colour(trend.strategy), "stroke-width": 2 });
  });
}
