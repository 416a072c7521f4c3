// What somebody wants to see of a board, in the words of its address: ?q=llama&r=lora&f=parameters:lt:8e9&s=-mean
// The flags of `tianti board` are the same words; docs/concepts/board.md has the table of them.

/** @typedef {{column: string, operator: "lt" | "le" | "gt" | "ge", number: number}} Condition */

/**
 * Empty is all, in the order of the ranks. `sort` holds columns, `-` before those with the highest first; the last
 * one counts most, so that an address says in which order its columns were sorted by.
 * @typedef {object} Selection
 * @property {string} search
 * @property {string[]} regimes
 * @property {string[]} families
 * @property {string[]} provenances
 * @property {string[]} languages
 * @property {Condition[]} conditions
 * @property {string[]} columns
 * @property {string[]} sort
 * @property {string[]} pins
 */

/** What can be said several times, by key. */
export const LISTS = /** @type {const} */ ({
  r: "regimes",
  family: "families",
  provenance: "provenances",
  lang: "languages",
});

/** @returns {Selection} */
export function everything() {
  return {
    search: "",
    regimes: [],
    families: [],
    provenances: [],
    languages: [],
    conditions: [],
    columns: [],
    sort: [],
    pins: [],
  };
}

/**
 * What a board knows of what an address may name.
 * @typedef {object} Known
 * @property {Record<keyof typeof LISTS, Set<string>>} values
 * @property {(name: string) => string | undefined} column the key of a column, by its slug or name
 * @property {(name: string) => string | undefined} sortable the same of what one sorts by
 * @property {(id: string) => boolean} entry
 */

/**
 * @param {string} query what stands behind the address's `?`
 * @param {Known} known
 * @returns {{selection: Selection, invalid: string[]}} `invalid`: what it says that the board does not have
 */
export function read(query, known) {
  const said = new URLSearchParams(query);
  const selection = everything();
  const invalid = /** @type {string[]} */ ([]);
  /** @type {(key: string, fits: (value: string) => boolean) => string[]} */
  const those = (key, fits) => {
    const values = [...new Set(said.getAll(key))].filter(Boolean);
    invalid.push(...values.filter((value) => !fits(value)).map((value) => `${key}=${value}`));
    return values.filter(fits);
  };
  selection.search = said.getAll("q").at(-1) ?? "";
  for (const [key, part] of Object.entries(LISTS)) {
    selection[part] = those(key, (value) => known.values[/** @type {keyof typeof LISTS} */ (key)].has(value));
  }
  const conditionOf = (/** @type {string} */ text) => readCondition(text, known);
  selection.conditions = those("f", (text) => conditionOf(text) !== null).map(
    (text) => /** @type {Condition} */ (conditionOf(text)),
  );
  const wanted = (said.getAll("cols").at(-1) ?? "").split(",").filter(Boolean);
  const keys = wanted.map((name) => known.column(name));
  invalid.push(...wanted.filter((_, index) => keys[index] === undefined).map((name) => `cols=${name}`));
  selection.columns = [...new Set(keys.filter((key) => key !== undefined))];
  selection.sort = those("s", (text) => known.sortable(text.replace(/^-/, "")) !== undefined).map(
    (text) => (text.startsWith("-") ? "-" : "") + known.sortable(text.replace(/^-/, "")),
  );
  selection.pins = those("pin", known.entry);
  return { selection, invalid };
}

/**
 * @param {string} text `column:operator:number`; a task may have colons in its name
 * @param {Known} known
 * @returns {Condition | null}
 */
function readCondition(text, known) {
  const found = /^(.+):(lt|le|gt|ge):([^:]+)$/su.exec(text);
  if (!found) return null;
  const column = known.column(found[1]);
  const number = found[3].trim() === "" ? NaN : Number(found[3]);
  if (column === undefined || !Number.isFinite(number)) return null;
  return { column, operator: /** @type {Condition["operator"]} */ (found[2]), number };
}

/** @param {Condition} condition */
export function writeCondition({ column, operator, number }) {
  return `${column}:${operator}:${number}`;
}

/**
 * The address of a selection, without its `?`; empty where nothing is left out and nothing moved.
 * @param {Selection} selection
 */
export function write(selection) {
  /** @type {[string, string][]} */
  const words = [];
  if (selection.search) words.push(["q", selection.search]);
  for (const [key, part] of Object.entries(LISTS)) {
    words.push(...selection[part].map((value) => /** @type {[string, string]} */ ([key, value])));
  }
  words.push(...selection.conditions.map((each) => /** @type {[string, string]} */ (["f", writeCondition(each)])));
  if (selection.columns.length) words.push(["cols", selection.columns.join(",")]);
  words.push(...selection.sort.map((each) => /** @type {[string, string]} */ (["s", each])));
  words.push(...selection.pins.map((each) => /** @type {[string, string]} */ (["pin", each])));
  return words.map(([key, value]) => `${key}=${quoted(value)}`).join("&");
}

/** Colons and commas stay readable. @param {string} text */
export function quoted(text) {
  return encodeURIComponent(text).replaceAll("%3A", ":").replaceAll("%2C", ",");
}
