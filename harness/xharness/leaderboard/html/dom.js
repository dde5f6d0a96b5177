"use strict";

// Elements from names, attributes and children. Text is always text: nothing here parses markup.
function element(space, name, attributes, children) {
  const made = space ? document.createElementNS(space, name) : document.createElement(name);
  for (const [key, value] of Object.entries(attributes || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else made.setAttribute(key, value === true ? "" : value);
  }
  for (const child of [children].flat(9)) {
    if (child !== null && child !== undefined) made.append(child);
  }
  return made;
}

const html = (name, attributes, ...children) => element(null, name, attributes, children);
const svg = (name, attributes, ...children) =>
  element("http://www.w3.org/2000/svg", name, attributes, children);
const byId = (id) => document.getElementById(id);

const board = JSON.parse(byId("data").textContent);
const colour = (strategy) => `var(--s${board.strategies.indexOf(strategy) % board.markers.length})`;

// The marker of a strategy, as in the figures: circle, square, diamond, triangles, plus.
function marker(strategy, x, y, size, attributes) {
  const shape = board.markers[board.strategies.indexOf(strategy) % board.markers.length];
  const r = size / 2;
  const paths = {
    o: `M${x - r},${y}a${r},${r} 0 1,0 ${size},0a${r},${r} 0 1,0 ${-size},0z`,
    s: `M${x - r},${y - r}h${size}v${size}h${-size}z`,
    D: `M${x},${y - r * 1.25}L${x + r * 1.25},${y}L${x},${y + r * 1.25}L${x - r * 1.25},${y}z`,
    "^": `M${x},${y - r * 1.15}L${x + r * 1.15},${y + r}L${x - r * 1.15},${y + r}z`,
    v: `M${x},${y + r * 1.15}L${x + r * 1.15},${y - r}L${x - r * 1.15},${y - r}z`,
    P: `M${x - r / 3},${y - r}h${size / 3}v${size / 3}h${size / 3}v${size / 3}h${-size / 3}` +
       `v${size / 3}h${-size / 3}v${-size / 3}h${-size / 3}v${-size / 3}h${size / 3}z`,
  };
  return svg("path", { d: paths[shape], fill: colour(strategy), ...attributes });
}
