"use strict";
const all = (selector) => [...document.querySelectorAll(selector)];

const filters = document.querySelector(".filters");
const shown = document.getElementById("shown");
const apply = () => {
  const wanted = all(".filters select").filter((select) => select.value);
  for (const item of all("[data-verdict]")) {
    item.hidden = wanted.some((select) => item.dataset[select.name] !== select.value);
  }
  for (const section of all("section.group")) {
    section.hidden = !section.querySelector(".rule:not([hidden])");
  }
  const rules = all(".rule");
  shown.textContent = `${rules.filter((rule) => !rule.hidden).length} of ${rules.length} rules`;
};
if (filters) {
  filters.hidden = false;
  filters.addEventListener("change", apply);
  filters.addEventListener("reset", () => setTimeout(apply));
  apply();
}

// Reports are opened from disk, where some browsers have no clipboard API.
const copy = async (text) => {
  if (navigator.clipboard) {
    return navigator.clipboard.writeText(text);
  }
  const area = document.createElement("textarea");
  area.value = text;
  document.body.append(area);
  area.select();
  document.execCommand("copy");
  area.remove();
};
for (const button of all("button[data-copy]")) {
  button.hidden = false;
  button.addEventListener("click", async () => {
    await copy(document.getElementById(button.dataset.copy).textContent);
    button.textContent = "Copied";
    setTimeout(() => (button.textContent = "Copy"), 1500);
  });
}

const reveal = () => {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (!target) {
    return;
  }
  if (filters && target.closest("[hidden]")) {
    filters.reset();
  }
  for (let outer = target.closest("details"); outer; outer = outer.parentElement.closest("details")) {
    outer.open = true;
  }
  setTimeout(() => target.scrollIntoView());
};
addEventListener("hashchange", reveal);
reveal();

let opened = [];
addEventListener("beforeprint", () => {
  // On paper a rule that holds is a line, and one way to send a request again is enough.
  opened = all("article details:not(.python, [open]), .rule:not([data-verdict=conformant], [open])");
  opened.forEach((each) => (each.open = true));
});
addEventListener("afterprint", () => opened.forEach((each) => (each.open = false)));
