// The columns of the table: what their headings say, and what their cells say of an entry.

import { t } from "../words.js";
import { element } from "./element.js";
import { QUANTITIES } from "./data.js";
import { MISSING, compact, letter, number, percent, shown } from "./numbers.js";
import { task } from "./tasks.js";
import { whisker } from "./whisker.js";

/** @typedef {import("./data.js").Table} Table */
/** @typedef {import("./address.js").Selection} Selection */

/**
 * @typedef {object} Column
 * @property {string} key what an address calls it; empty for what cannot be sorted by
 * @property {string} kind its class: its width, and whether it is kept in sight
 * @property {string} name
 * @property {string} small the unit and the metric, behind the name
 * @property {boolean} up whether the highest come first
 * @property {boolean} numeric
 * @property {(row: number) => string} text the cell without drawings
 * @property {(cell: HTMLTableCellElement, row: number) => void} draw fill a cell, which may hold another row's
 */

/**
 * The columns that a selection shows, those that are kept in sight first.
 * @param {Table} table
 * @param {Selection} selection
 * @param {string} root of the pages of this language, and `leaf` what stands behind their addresses
 * @param {string} leaf
 * @returns {Column[]}
 */
export function columnsOf(table, selection, root, leaf) {
  const keys = keysOf(table, selection);
  const shown = new Set(keys.filter((key) => table.indexOf.has(key)));
  const columns = [rank(table, selection), model(table, root, leaf), adaptation(table)];
  if (table.content.words.provenance.length > 1) columns.push(provenance(table));
  for (const key of keys) {
    const index = table.indexOf.get(key);
    if (index === undefined) columns.push(QUANTITY[/** @type {keyof typeof QUANTITY} */ (key)](table));
    else columns.push(task(table, index));
  }
  const { tasks, aspects } = table.content;
  const names = new Set([...shown].map((key) => tasks[/** @type {number} */ (table.indexOf.get(key))].name));
  const further = aspects.flatMap((aspect, index) =>
    names.has(aspect.of) ? [task(table, tasks.length + index)] : [],
  );
  // Behind the tasks, before what they cost.
  columns.splice(1 + columns.findLastIndex((column) => column.kind === "task"), 0, ...further);
  return columns;
}

/** What is asked of the entries, in its order: tasks and quantities. @param {Table} table @param {Selection} selection */
export function keysOf(table, { columns, languages }) {
  const spoken = (/** @type {number | undefined} */ index) =>
    index === undefined || !languages.length || languages.includes(table.tasks[index].language);
  const chosen = columns.length ? columns : standard(table);
  return chosen.filter((key) => key !== "rank" && spoken(table.indexOf.get(key)));
}

/**
 * The same for a phone: the mean stands before the adaptation, so that one look tells who is how good.
 * @param {Column[]} columns @returns {Column[]}
 */
export function meanFirst(columns) {
  const mean = columns.filter((column) => column.kind === "mean");
  return [...columns.slice(0, 2), ...mean, ...columns.slice(2).filter((column) => column.kind !== "mean")];
}

/** The columns of a board that nobody has chosen any of. @param {Table} table @returns {string[]} */
export function standard(table) {
  const known = (/** @type {string} */ key) => table.entries[key].some((value) => value !== null);
  const [mean, ...behind] = QUANTITIES;
  return [mean, ...table.content.tasks.map((each) => each.slug), ...behind.filter(known)];
}

/** @param {Table} table @param {Selection} selection @returns {Column} */
function rank(table, selection) {
  const { id, rank, rank_low: low, rank_high: high, band } = table.entries;
  const pins = new Set(selection.pins);
  const text = (/** @type {number} */ row) => {
    if (rank[row] === null) return MISSING;
    return low[row] === null || low[row] === high[row] ? String(rank[row]) : `${low[row]}–${high[row]}`;
  };
  return {
    ...NUMERIC,
    key: "rank",
    kind: "rank",
    name: t("Rank"),
    up: false,
    text,
    draw(cell, row) {
      const pin = element("button", "pin");
      pin.type = "button";
      pin.tabIndex = -1;
      pin.dataset.pin = id[row];
      pin.ariaPressed = String(pins.has(id[row]));
      pin.ariaLabel = t("Pin {name}", { name: `${table.model(row).name} · ${table.word("adaptation", row)}` });
      cell.replaceChildren(pin);
      if (band[row] !== null) cell.append(element("span", "band", letter(band[row])), " ");
      cell.append(text(row));
    },
  };
}

/** @param {Table} table @param {string} root @param {string} leaf @returns {Column} */
function model(table, root, leaf) {
  return {
    ...TEXTUAL,
    key: "model",
    kind: "name",
    name: t("Model"),
    text: (row) => table.model(row).name,
    draw(cell, row) {
      const { name, page } = table.model(row);
      const link = document.createElement("a");
      link.href = root + page + leaf;
      link.tabIndex = -1;
      link.textContent = name;
      cell.title = name;
      // A phone has no room for the column of adaptations beside the mean: the style sheet shows it here.
      cell.replaceChildren(link, element("small", "how", table.word("adaptation", row)));
    },
  };
}

/** @param {Table} table @returns {Column} */
function adaptation(table) {
  const text = (/** @type {number} */ row) => table.word("adaptation", row);
  return {
    ...TEXTUAL,
    key: "adaptation",
    kind: "adaptation",
    name: t("Adaptation"),
    text,
    draw(cell, row) {
      cell.title = text(row);
      cell.textContent = text(row);
    },
  };
}

/** Where there are several. @param {Table} table @returns {Column} */
function provenance(table) {
  const text = (/** @type {number} */ row) => PROVENANCES[table.word("provenance", row)];
  return {
    ...TEXTUAL,
    key: "provenance",
    kind: "quantity",
    name: t("Provenance"),
    text,
    draw(cell, row) {
      cell.textContent = text(row);
    },
  };
}

/** @type {Record<string, string>} */
export const PROVENANCES = {
  measured: t("measured"),
  verified: t("verified"),
  imported: t("imported"),
  reported: t("reported"),
};

/** @type {Record<(typeof QUANTITIES)[number], (table: Table) => Column>} */
const QUANTITY = {
  mean(table) {
    const numbers = table.numbersOf("mean");
    const { mean_half: half, low, high, done } = table.entries;
    const text = (/** @type {number} */ row) => shown(numbers[row], half[row] === null ? null : half[row] / 10, percent);
    const { counting, axis } = table.content;
    return {
      ...NUMERIC,
      key: "mean",
      kind: "mean",
      name: t("Mean"),
      small: "%",
      up: true,
      text,
      draw(cell, row) {
        const value = element("span", "value", text(row));
        if (Number.isFinite(numbers[row]) && done[row] < counting) {
          const [own, all] = [done[row], counting].map((count) => count.toLocaleString("en-US"));
          value.append(element("small", "", t("{done} of {all} tasks", { done: own, all })));
        }
        cell.replaceChildren(value);
        if (axis && Number.isFinite(numbers[row])) {
          cell.append(whisker(axis, low[row], table.entries.mean[row], high[row]));
        }
      },
    };
  },
  parameters: (table) => quantity(table, "parameters", t("Parameters"), "", compact),
  trained: (table) => quantity(table, "trained", t("Trained parameters"), "", compact),
  examples: (table) => quantity(table, "examples", t("Training examples"), "", compact),
  seconds: (table) => quantity(table, "seconds", t("Time"), "s", percent),
  tokens: (table) => quantity(table, "tokens", t("Tokens"), "", compact),
  energy: (table) => quantity(table, "energy", t("Energy"), "Wh", number),
};

/**
 * @param {Table} table
 * @param {string} key
 * @param {string} name
 * @param {string} small
 * @param {(value: number) => string} written
 * @returns {Column}
 */
function quantity(table, key, name, small, written) {
  const numbers = table.numbersOf(key);
  const text = (/** @type {number} */ row) => shown(numbers[row], null, written);
  return {
    ...NUMERIC,
    key,
    kind: "quantity",
    name,
    small,
    up: false,
    text,
    draw(cell, row) {
      cell.textContent = text(row);
    },
  };
}

const NUMERIC = { numeric: true, small: "" };
const TEXTUAL = { small: "", up: false, numeric: false };
