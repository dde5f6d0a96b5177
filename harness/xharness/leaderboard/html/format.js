// Numbers as leaderboard.md writes them: one decimal, a real minus sign, changes with a plus.
const rounded = (value) => Math.round(value * 10) / 10 + 0;
const points = (value) => rounded(value).toFixed(1).replace("-", "−");
const signed = (value) => (rounded(value) > 0 ? "+" : "") + points(value);
const ratio = (value) => value.toFixed(2).replace("-", "−");
const plural = (count, noun) => `${count} ${noun}${count === 1 ? "" : "s"}`;

function interval(estimate, show) {
  return estimate[1] === null ? "" : `[${show(estimate[1])}, ${show(estimate[2])}]`;
}

function parameters(count) {
  if (!count) return "—";
  for (const [unit, size] of [["B", 1e9], ["M", 1e6], ["K", 1e3]]) {
    if (count >= size) {
      const shown = count / size;
      return (shown >= 99.95 ? shown.toFixed(0) : shown.toFixed(1)) + unit;
    }
  }
  return String(count);
}

// −1 or 1 where the whole interval, as it is shown, lies on one side of zero.
function direction(estimate) {
  if (!estimate || estimate[1] === null) return 0;
  return (rounded(estimate[1]) > 0) - (rounded(estimate[2]) < 0);
}

const languageName = (code) => (board.languages[code] || [code])[0];
const familyOf = (code) => (board.languages[code] || [null, "other"])[1];
