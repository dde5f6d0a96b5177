// One stop of the Tab key for each table; arrow keys, Home and End move among its cells.
function roving(table) {
  const rows = [...table.rows].map((row) => [...row.querySelectorAll(".has-tip")]);
  const grid = rows.filter((row) => row.length);
  if (!grid.length) return;
  grid.flat().forEach((cell) => cell.setAttribute("tabindex", "-1"));
  grid[0][0].setAttribute("tabindex", "0");
  table.addEventListener("keydown", (event) => {
    const y = grid.findIndex((row) => row.includes(event.target));
    if (y < 0) return;
    const x = grid[y].indexOf(event.target);
    const goal = step(grid, x, y, event.key);
    if (!goal) return;
    event.preventDefault();
    event.target.setAttribute("tabindex", "-1");
    goal.setAttribute("tabindex", "0");
    goal.focus();
  });
}

function step(grid, x, y, key) {
  const row = (place) => grid[Math.max(0, Math.min(grid.length - 1, place))];
  const cell = (own, place) => own[Math.max(0, Math.min(own.length - 1, place))];
  const goals = {
    ArrowLeft: () => cell(row(y), x - 1),
    ArrowRight: () => cell(row(y), x + 1),
    ArrowUp: () => cell(row(y - 1), x),
    ArrowDown: () => cell(row(y + 1), x),
    Home: () => cell(row(y), 0),
    End: () => cell(row(y), grid[y].length - 1),
  };
  return goals[key] ? goals[key]() : null;
}
