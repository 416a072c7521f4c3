// Search and filters of the reported results. Without this script the page is the whole table.

import { quoted } from "./board/address.js";
import { setUpMenus } from "./menus.js";
import { clearNotices, notice } from "./notices.js";
import { t } from "./words.js";

/** What the address may say several times: the name of a system, of a benchmark, of a regime. */
const LISTS = /** @type {const} */ (["model", "task", "r"]);

/** @typedef {{q: string, model: string[], task: string[], r: string[]}} Selection empty is all */

const form = /** @type {HTMLFormElement} */ (document.getElementById("tools"));
const table = /** @type {HTMLTableElement} */ (document.getElementById("reported"));
const search = /** @type {HTMLInputElement} */ (form.elements.namedItem("q"));
const count = /** @type {HTMLOutputElement} */ (form.elements.namedItem("count"));
const columns = Array.from(table.tHead?.rows[0].cells ?? []);

/** The rows with what they are found by. */
const rows = Array.from(table.tBodies).flatMap((body) => {
  const [heading, ...own] = Array.from(body.rows);
  return own.map((row) => ({
    row,
    model: row.dataset.model ?? "",
    task: body.dataset.task ?? "",
    methods: Array.from(row.cells).flatMap((cell) => (cell.classList.contains("none") ? [] : (cell.dataset.method ?? []))),
    text: `${heading.textContent} ${row.textContent}`.toLowerCase(),
  }));
});

form.hidden = false;
setUpMenus(form);
form.addEventListener("submit", (event) => event.preventDefault());
form.addEventListener("input", () => choose(chosen()));
form.addEventListener("click", (event) => {
  const { all, copy } = /** @type {HTMLElement} */ (event.target).dataset;
  if (all !== undefined) choose({ q: "", model: [], task: [], r: [] });
  if (copy !== undefined) void navigator.clipboard.writeText(location.href).then(() => notice(t("Copied")));
});
addEventListener("popstate", open);
open();

/** Show what the address says. */
function open() {
  const said = new URLSearchParams(location.search);
  const invalid = /** @type {string[]} */ ([]);
  const selection = /** @type {Selection} */ ({ q: said.getAll("q").at(-1) ?? "" });
  for (const key of LISTS) {
    const known = new Set(boxes(key).map((box) => box.value));
    const wanted = [...new Set(said.getAll(key))].filter(Boolean);
    selection[key] = wanted.filter((value) => known.has(value));
    invalid.push(...wanted.filter((value) => !known.has(value)).map((value) => `${key}=${value}`));
  }
  show(selection);
  clearNotices();
  if (invalid.length) {
    notice(t("The address asks for what is not reported: {words}", { words: invalid.join(", ") }));
  }
}

/** What the controls say. @returns {Selection} */
function chosen() {
  const checked = (/** @type {string} */ key) => boxes(key).flatMap((box) => (box.checked ? [box.value] : []));
  return { q: search.value, model: checked("model"), task: checked("task"), r: checked("r") };
}

/** Show a selection, and say so in the address. @param {Selection} wanted */
function choose(wanted) {
  const words = LISTS.flatMap((key) => wanted[key].map((value) => `${key}=${quoted(value)}`));
  if (wanted.q) words.unshift(`q=${quoted(wanted.q)}`);
  history.replaceState(null, "", words.length ? `?${words.join("&")}` : location.pathname);
  show(wanted);
}

/** @param {Selection} wanted */
function show(wanted) {
  if (search.value !== wanted.q) search.value = wanted.q;
  for (const key of LISTS) check(key, wanted[key]);
  const fits = (/** @type {string[]} */ list, /** @type {string} */ value) => !list.length || list.includes(value);
  const text = wanted.q.toLowerCase();
  let shown = 0;
  for (const { row, ...each } of rows) {
    row.hidden =
      !fits(wanted.model, each.model) ||
      !fits(wanted.task, each.task) ||
      !each.methods.some((method) => fits(wanted.r, method)) ||
      !each.text.includes(text);
    shown += Number(!row.hidden);
  }
  const columnShown = columns.map((column) => !column.dataset.method || fits(wanted.r, column.dataset.method));
  for (const [index, column] of columns.entries()) column.hidden = !columnShown[index];
  for (const body of table.tBodies) {
    const [heading, ...own] = Array.from(body.rows);
    body.hidden = own.every((row) => row.hidden);
    heading.cells[0].colSpan = columnShown.filter(Boolean).length;
    for (const row of own) for (const cell of row.cells) cell.hidden = !columnShown[cell.cellIndex];
  }
  count.value = t("{shown} of {total} rows", { shown, total: rows.length });
  for (const link of document.querySelectorAll("a[hreflang]")) {
    /** @type {HTMLAnchorElement} */ (link).search = location.search;
  }
}

/** @param {string} key @param {string[]} values */
function check(key, values) {
  for (const box of boxes(key)) box.checked = values.includes(box.value);
  const said = boxes(key)[0]?.closest("details")?.querySelector(".chosen");
  if (said) said.textContent = values.length ? String(values.length) : "";
}

/** @param {string} key */
function boxes(key) {
  return /** @type {HTMLInputElement[]} */ (Array.from(form.querySelectorAll(`input[name="${key}"]`)));
}
