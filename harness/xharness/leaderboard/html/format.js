// Numbers come as whole tenths of a point (ratios as hundredths): dividing is no rounding.
const minus = (value) => value.replace("-", "−");
const points = (tenths) => minus((tenths / 10).toFixed(1));
const signed = (tenths) => (tenths > 0 ? "+" : "") + points(tenths);
const ratio = (hundredths) => minus((hundredths / 100).toFixed(2));
const plural = (count, noun) => `${count} ${noun}${count === 1 ? "" : "s"}`;

function interval(estimate, show) {
  return estimate.length < 3 ? "" : `[${show(estimate[1])}, ${show(estimate[2])}]`;
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

// Packed numbers: 16 bits each, -32768 where there is none.
function unpack(packed) {
  const bytes = Uint8Array.from(atob(packed), (letter) => letter.charCodeAt(0));
  return [...new Int16Array(bytes.buffer)].map((number) => (number === -32768 ? null : number));
}

const languageName = (code) => (board.languages[code] || [code])[0];
const familyOf = (code) => (board.languages[code] || [])[1] || "other";
const shortened = (name, letters) => (name.length <= letters ? name : `${name.slice(0, letters - 1)}…`);
