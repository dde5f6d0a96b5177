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
const words = board.words;
const text = (numbers) => (numbers || []).map((number) => board.texts[number]);

// Grey is the baseline, in the charts as in the figures.
const colour = (strategy) => (strategy === board.baseline ? "var(--baseline)" : "var(--compared)");
const isBaseline = (strategy) => strategy === board.baseline;

// Options carry a prefix, so that a task named "every" is not taken for all of them.
function select(id, label, options, onchange, first = options[0]) {
  return html("label", { for: id }, label, html("select", { id, onchange },
    options.map((option) => html("option", { value: option.value ?? option, selected: option === first }, option.label ?? option))));
}

const named = (names) => names.map((name) => ({ value: `=${name}`, label: name }));

// Buttons of which one is pressed.
function choice(legend, state, name, options, onchange) {
  const buttons = options.map(([value, label]) => html("button", {
    type: "button", class: "toggle", "aria-pressed": String(state[name] === value),
    onclick: (event) => {
      state[name] = value;
      buttons.forEach((button) => button.setAttribute("aria-pressed", String(button === event.currentTarget)));
      onchange();
    },
  }, label));
  return html("fieldset", { class: "group" }, html("legend", {}, legend), html("div", {}, buttons));
}
