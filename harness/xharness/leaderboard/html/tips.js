// One tooltip for the page: on pointing and on focus, gone with Escape, itself hoverable. Its texts
// are made when they are wanted, and few listeners serve all cells: a large board has thousands.
const tip = byId("tip");
const tipTexts = new WeakMap();
let described = null;

function withTip(target, words) {
  target.classList.add("has-tip");
  tipTexts.set(target, words);
  return target;
}

const tipTarget = (event) => (event.target instanceof Element ? event.target.closest(".has-tip") : null);

function showTip(target) {
  hideTip();
  const words = tipTexts.get(target);
  if (words === undefined) return;
  described = target;
  tip.textContent = typeof words === "function" ? words() : words;
  tip.hidden = false;
  target.setAttribute("aria-describedby", "tip");
  const box = target.getBoundingClientRect();
  const left = box.left + box.width / 2 - tip.offsetWidth / 2;
  const widest = document.documentElement.clientWidth - tip.offsetWidth - 12;
  const above = box.top - tip.offsetHeight;
  tip.style.left = `${scrollX + Math.max(12, Math.min(widest, left))}px`;
  tip.style.top = `${scrollY + (above > 4 ? above : box.bottom)}px`;
}

function hideTip() {
  if (described) described.removeAttribute("aria-describedby");
  described = null;
  tip.hidden = true;
}

document.addEventListener("pointerover", (event) => {
  if (tip.contains(event.target)) return;
  const target = tipTarget(event);
  if (target) { if (target !== described) showTip(target); } else if (!described?.contains(document.activeElement)) hideTip();
});
document.addEventListener("focusin", (event) => { const target = tipTarget(event); if (target) showTip(target); });
document.addEventListener("focusout", hideTip);
document.addEventListener("keydown", (event) => { if (event.key === "Escape") hideTip(); });
