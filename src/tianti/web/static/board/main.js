// The board: its table, the controls above it, and its address, which says what is shown.

import { clearNotices, notice } from "../notices.js";
import { t } from "../words.js";
import { everything, read, write } from "./address.js";
import { columnsOf, keysOf, meanFirst } from "./columns.js";
import { Controls } from "./controls.js";
import { load } from "./data.js";
import { download } from "./exports.js";
import { Grid } from "./grid.js";
import { Keyboard } from "./keyboard.js";
import { pinnedRows, select } from "./select.js";

/** @typedef {import("./address.js").Selection} Selection */

const place = /** @type {HTMLElement} */ (document.getElementById("rows"));
const form = /** @type {HTMLFormElement} */ (document.getElementById("tools"));
const said = /** @type {HTMLOutputElement} */ (document.getElementById("said"));
const none = /** @type {HTMLElement} */ (document.getElementById("none"));
const compare = /** @type {HTMLElement} */ (document.getElementById("compare"));
const about = /** @type {Record<string, string>} */ ({ ...place.dataset });

const table = await load(about.table).catch((error) => {
  notice(t("The table did not come, so here are its first rows only: {reason}", { reason: error.message }));
  throw error;
});
const known = {
  values: {
    r: new Set(table.content.words.method),
    family: new Set(table.content.words.family),
    provenance: new Set(table.content.words.provenance),
    lang: new Set(table.tasks.map((task) => task.language)),
  },
  column: (/** @type {string} */ name) => table.column(name),
  sortable: (/** @type {string} */ name) => table.sortable(name),
  entry: (/** @type {string} */ id) => table.rowOf.has(id),
};
const grid = new Grid(place, /** @type {HTMLTableElement} */ (document.getElementById("board")));
const keyboard = new Keyboard(grid);
const controls = new Controls(form, table, choose);
let selection = everything();
const phone = matchMedia("(max-width: 640px)");

grid.dress = (row, entry, before) => {
  const { band, rank, id } = table.entries;
  const edge = !selection.sort.length && before !== undefined && band[before] !== band[entry];
  row.className = `band${(band[entry] ?? 0) % 2}${edge ? " edge" : ""}${rank[entry] === null ? " unranked" : ""}`;
  row.dataset.entry = id[entry];
};
// Why a number is missing is said when its cell is reached, as it is when a pointer rests on it.
keyboard.reached = (position, column) => {
  const cell = grid.cell(position, column);
  said.value = position >= 0 && cell?.classList.contains("task") ? cell.title : "";
};
grid.table.addEventListener("click", (event) => {
  const { sort, pin } = /** @type {HTMLElement} */ (event.target).closest("button")?.dataset ?? {};
  if (sort !== undefined) choose({ ...selection, sort: sortedBy(sort, event.shiftKey) });
  if (pin !== undefined) choose({ ...selection, pins: toggled(selection.pins, pin) });
});
form.addEventListener("click", (event) => {
  const { format, copy } = /** @type {HTMLElement} */ (event.target).dataset;
  if (format) {
    download(format, `${about.board}.${format}`, view()).catch((error) => {
      notice(t("The file could not be made: {reason}", { reason: error.message }));
    });
  }
  if (copy !== undefined) void navigator.clipboard.writeText(location.href).then(() => (said.value = t("Copied")));
});
addEventListener("popstate", open);
phone.addEventListener("change", () => show(selection));
document.getElementById("first")?.remove();
setUpDensity();
open();

/** Show what the address says. */
function open() {
  const found = read(location.search, known);
  show(found.selection);
  clearNotices();
  if (found.invalid.length) {
    notice(t("The address asks for what this board does not have: {words}", { words: found.invalid.join(", ") }));
  }
}

/** Show a selection, and say so in the address. @param {Selection} wanted @param {boolean} [page] */
function choose(wanted, page = false) {
  const query = write(wanted);
  const address = query ? `?${query}` : location.pathname;
  if (page) history.pushState(null, "", address);
  else history.replaceState(null, "", address);
  show(wanted);
}

/** @param {Selection} wanted */
function show(wanted) {
  const rows = select(table, wanted);
  const pinned = pinnedRows(table, wanted);
  const key = (/** @type {Selection} */ each) => JSON.stringify({ ...each, pins: [], columns: [] });
  if (key(wanted) !== key(selection)) place.scrollTop = 0;
  selection = wanted;
  const sort = wanted.sort.at(-1) ?? "rank";
  grid.sorted = { key: sort.replace(/^-/, ""), down: sort.startsWith("-") };
  const columns = columnsOf(table, wanted, about.root, about.leaf);
  grid.show(phone.matches ? meanFirst(columns) : columns, [...pinned, ...rows], pinned.length);
  controls.show(wanted, rows.length + pinned.length);
  none.hidden = rows.length + pinned.length > 0;
  for (const link of document.querySelectorAll("a[hreflang]")) {
    /** @type {HTMLAnchorElement} */ (link).search = location.search;
  }
  offerComparison(pinned);
}

/** Lead to the page that compares what is pinned, or say why there is none. @param {number[]} pinned */
function offerComparison(pinned) {
  const [link, why] = /** @type {HTMLCollectionOf<HTMLAnchorElement>} */ (compare.children);
  const there = pinned.length <= Number(compare.dataset.together);
  const ids = pinned.toSorted((a, b) => a - b).map((row) => table.entries.id[row]);
  compare.hidden = pinned.length < 2;
  why.hidden = there;
  if (there) link.href = `${about.root}compare/${about.board}/${ids.join("~")}/${about.leaf}`;
  else link.removeAttribute("href");
  link.ariaDisabled = there ? null : "true";
}

/**
 * What to sort by after a click on a heading: the other way round where it is sorted by that already; with `beside`,
 * what is equal so far is sorted by it.
 * @param {string} key @param {boolean} beside
 */
function sortedBy(key, beside) {
  const current = selection.sort.find((each) => each.replace(/^-/, "") === key) ?? (key === "rank" ? key : undefined);
  const up = grid.columns.find((column) => column.key === key)?.up ? `-${key}` : key;
  const sorted = grid.sorted.key === key || beside;
  const next = current && sorted ? (current.startsWith("-") ? key : `-${key}`) : up;
  if (!beside) return next === "rank" ? [] : [next];
  if (current) return selection.sort.map((each) => (each === current ? next : each));
  return [next, ...selection.sort];
}

/** @param {string[]} list @param {string} item */
function toggled(list, item) {
  return list.includes(item) ? list.filter((each) => each !== item) : [...list, item];
}

/** What a file holds. */
function view() {
  const { snapshot, title, level } = about;
  const files = about.table.replace(/\/table\.json$/, "");
  return {
    ...{ table, rows: grid.entries, keys: keysOf(table, selection), address: write(selection) },
    ...{ files, snapshot, title, level },
  };
}

/** Rows are as close as the reader likes them, on every board. */
function setUpDensity() {
  const choice = /** @type {HTMLSelectElement} */ (form.elements.namedItem("density"));
  const apply = () => place.classList.toggle("compact", choice.value === "compact");
  choice.value = localStorage.getItem("density") ?? "";
  apply();
  choice.addEventListener("change", () => {
    localStorage.setItem("density", choice.value);
    apply();
    show(selection);
  });
}
