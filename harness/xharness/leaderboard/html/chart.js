// What changes: a row for each strategy, Δ gap to the left, Δ others to the right, the baseline at
// zero in both. It opens on what the headline speaks of: strategies over the models where there are
// several, else each of the one model's.
const changeChart = { set: null, all: false };
const ROW = 26, FEW = 24;
const averageRows = () => board.rows.filter((row) => row.task === null);

function changeSets() {
  const sets = [];
  const overall = board.headlines.some((line) => line.change_gap && line.models > 1);
  if (overall) sets.push({ value: "headlines", label: "average over tasks and models" });
  if (averageRows().some((row) => row.change_others)) sets.push({ value: "average", label: "average over tasks" });
  board.tasks.forEach((task, number) => {
    if (board.rows.some((row) => row.task === number && row.change_others)) sets.push({ value: `=${number}`, label: task });
  });
  return sets;
}

function setUpChanges() {
  const sets = changeSets();
  if (!sets.length) return;
  changeChart.set = sets[0].value;
  byId("changes").hidden = false;
  byId("changes-title").textContent = `What changes against ${board.baseline}`;
  byId("change-controls").append(select("filter-change", "Over", sets, (event) => {
    changeChart.set = event.currentTarget.value;
    drawChanges();
  }));
  drawChanges();
  new ResizeObserver(() => { if (widthOf("change-chart") !== changeChart.width) drawChanges(); }).observe(byId("change-chart"));
}

const widthOf = (id) => Math.max(280, byId(id).clientWidth);

// Groups of rows: all models together, or model by model, each from the largest Δ others down.
function changeGroups() {
  const gain = (row) => (row.change_others ? -row.change_others[0] : 1e9);
  const fromLargest = (rows) => rows.sort((a, b) => gain(a) - gain(b));
  if (changeChart.set === "headlines") {
    return [{ name: "over the models", rows: fromLargest(board.headlines.filter((line) => line.change_gap || line.change_others)) }];
  }
  const task = changeChart.set === "average" ? null : Number(changeChart.set.slice(1));
  const rows = board.rows.filter((row) => row.task === task && (row.change_gap || row.change_others));
  const models = [...new Set(rows.map((row) => row.model))];
  return models.map((name) => ({ name, rows: fromLargest(rows.filter((row) => row.model === name)) }));
}

function drawChanges() {
  hideTip();
  const width = changeChart.width = widthOf("change-chart");
  const groups = changeGroups();
  const lines = [];
  for (const group of groups) {
    lines.push({ title: group.name });
    group.rows.forEach((row) => lines.push({ row }));
  }
  const shown = changeChart.all ? lines : lines.slice(0, FEW * 2);
  const height = 46 + shown.length * ROW + 26;
  const label = Math.min(width * 0.34, 250), between = 18;
  const panel = (width - label - between - 8) / 2;
  const panels = [
    { name: "change_gap", title: words.change_gap, way: "← narrower · wider →", left: label },
    { name: "change_others", title: words.change_others, way: "← lose · gain →", left: label + panel + between },
  ].map((one) => ({ ...one, width: panel, ...changeScale(shown, one.name, panel) }));
  const picture = svg("svg", { viewBox: `0 0 ${width} ${height}`, role: "group", "aria-label": `${words.change_gap} and ${words.change_others} against ${board.baseline}` },
    panels.map((one) => changeAxis(one, height)),
    shown.map((line, number) => changeLine(line, 46 + (number + 0.5) * ROW, panels, label)));
  const more = lines.length - shown.length;
  byId("change-chart").replaceChildren(picture, more > 0 ? html("button", { type: "button", onclick: () => { changeChart.all = true; drawChanges(); } }, `Show ${more} more`) : "");
  byId("change-note").textContent = changeNote();
}

function changeScale(lines, name, width) {
  const ends = lines.flatMap((line) => (line.row && line.row[name]) || []);
  const low = Math.min(0, ...ends), high = Math.max(0, ...ends);
  const pad = (high - low) * 0.06 || 10;
  return { low: low - pad, high: high + pad, x: (value) => ((value - low + pad) / (high - low + 2 * pad)) * width };
}

function changeAxis(panel, height) {
  const bottom = height - 26;
  const ticks = steps(panel.low / 10, panel.high / 10, panel.width < 220 ? 3 : 6).map((value) => {
    const x = panel.left + panel.x(value * 10);
    return [
      svg("line", { class: value === 0 ? "zero" : "grid", x1: x, x2: x, y1: 40, y2: bottom }),
      svg("text", { x, y: bottom + 16, "text-anchor": "middle" }, minus(String(value)))];
  });
  return [ticks,
    svg("text", { class: "name", x: panel.left, y: 14 }, `${panel.title}, points`),
    svg("text", { x: panel.left, y: 30 }, panel.way)];
}

function changeLine(line, y, panels, label) {
  const letters = Math.floor(label / 7.4);
  if (line.title !== undefined) return svg("text", { class: "model", x: 0, y: y + 4 }, shortened(line.title, letters));
  const { row } = line;
  const said = panels.map((panel) => row[panel.name] && `${panel.title} ${signed(row[panel.name][0])} ${interval(row[panel.name], signed)}`.trim()).filter(Boolean);
  const told = `${row.model ? `${row.model}, ` : ""}${row.strategy}: ${said.join("; ")}${row.unlearnt ? "; not learnt" : ""}`;
  const marks = panels.map((panel) => changeMark(row, row[panel.name], panel, y));
  const group = svg("g", { class: row.unlearnt ? "mark unlearnt" : "mark", tabindex: "0", role: "img", "aria-label": told, "data-model": row.model || "", "data-strategy": row.strategy },
    svg("rect", { class: "halo", x: 0, y: y - ROW / 2, width: panels[1].left + panels[1].width, height: ROW }),
    svg("text", { class: "name", x: 14, y: y + 4 }, shortened(row.strategy, letters - 2)), marks);
  return withTip(group, () => [told, row.reads ? `Reads as: ${row.reads}` : "", row.detectable ? `Detectable ${words.change_gap}: ${row.detectable}` : ""].filter(Boolean).join("\n"));
}

// Filled where corrected tests have a word, hollow elsewhere.
function changeMark(row, estimate, panel, y) {
  if (!estimate) return svg("text", { x: panel.left + panel.x(0) + 6, y: y + 4 }, "undefined");
  const x = (value) => panel.left + panel.x(value);
  return [
    estimate.length > 2 && row.reads !== "EXPLORATORY" ? svg("line", { class: "whisker", x1: x(estimate[1]), x2: x(estimate[2]), y1: y, y2: y }) : null,
    svg("circle", { class: row.claim ? "dot claim" : "dot", cx: x(estimate[0]), cy: y, r: 5 })];
}

function changeNote() {
  const start = `The line at zero is ${board.baseline}. Filled marks carry a word after correction for all of the board's tests; lines are 95% intervals, uncorrected.`;
  return changeChart.set.startsWith("=") ? `${start} A single task carries no word; faint lines are of arms that have not learnt it.` : start;
}

// Round numbers between two ends, about `count` of them.
function steps(from, to, count) {
  const rough = (to - from) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].find((one) => one * power >= rough) * power;
  const found = [];
  for (let at = Math.ceil(from / step); at * step <= to; at += 1) found.push(Number((at * step).toPrecision(12)));
  return found;
}
