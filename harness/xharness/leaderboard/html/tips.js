// One tooltip for the page: on pointing and on focus, gone with Escape, itself hoverable.
const tip = byId("tip");
let told = null;

function withTip(target, text) {
  target.classList.add("has-tip");
  target.addEventListener("pointerenter", () => showTip(target, text));
  target.addEventListener("pointerleave", (event) => {
    if (event.relatedTarget !== tip) hideTip();
  });
  target.addEventListener("focus", () => showTip(target, text));
  target.addEventListener("blur", hideTip);
  return target;
}

function showTip(target, text) {
  hideTip();
  told = target;
  tip.textContent = text;
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
  if (told) told.removeAttribute("aria-describedby");
  told = null;
  tip.hidden = true;
}

tip.addEventListener("pointerleave", hideTip);
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") hideTip();
});
