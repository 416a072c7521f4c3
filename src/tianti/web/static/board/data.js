// The board as the API gives it for a table: one array per column, numbers as whole numbers of what is shown.

/**
 * @typedef {object} Task
 * @property {string} slug
 * @property {string} name
 * @property {string} page its page, from the root of a language
 * @property {string} metric
 * @property {string} language
 * @property {boolean} share shown in per cent: its numbers are tenths of it
 * @property {boolean} up higher is better
 * @property {string} arrow which way is better; empty where 0 is best
 * @property {boolean} counts part of the mean
 * @property {number | null} chance
 * @property {string} aspect of a further metric: what it tells of
 * @property {string} of of a further metric: the name of its task
 */

/**
 * Of one task, an element per entry.
 * @typedef {object} Cells
 * @property {(number | null)[]} value
 * @property {(number | null)[] | null} half half of the interval
 * @property {number[]} best entries that no other is shown to beat
 * @property {Record<string, Note>} notes by entry
 */

/** @typedef {{state: string, reason: string, errors: number, skipped: number}} Note */

/**
 * @typedef {object} Content
 * @property {string} snapshot
 * @property {string} board
 * @property {number} counting how many tasks make up the mean
 * @property {[number, number] | null} axis of all means and their intervals
 * @property {Task[]} tasks
 * @property {Task[]} aspects
 * @property {{name: string, page: string}[]} models
 * @property {Record<"adaptation" | "method" | "family" | "provenance", string[]>} words
 * @property {Record<string, any[]>} entries
 * @property {Cells[]} cells of the tasks, then of the further metrics
 */

/** What stands beside the tasks, in the order in which it is shown; null is not known. */
export const QUANTITIES = /** @type {const} */ ([
  "mean", "parameters", "trained", "examples", "seconds", "tokens", "energy",
]);

/** Those that are kept in tenths. */
const TENTHS = new Set(["mean", "seconds"]);

/** What is sorted by as text. */
const TEXTS = ["model", "adaptation", "provenance"];

export class Table {
  /** @type {Map<string | number, Float64Array>} */
  #numbers = new Map();

  /** @param {Content} content */
  constructor(content) {
    this.content = content;
    this.entries = content.entries;
    this.count = this.entries.id.length;
    this.tasks = [...content.tasks, ...content.aspects];
    /** @type {Map<string, number>} */
    this.indexOf = new Map(content.tasks.map((task, index) => [task.slug, index]));
    this.byName = new Map(content.tasks.map((task) => [task.name, task.slug]));
    this.rowOf = new Map(this.entries.id.map((id, row) => [id, row]));
  }

  /**
   * The key of a column by its slug or name; undefined where there is none.
   * @param {string} name
   */
  column(name) {
    const key = this.byName.get(name) ?? name;
    return key === "rank" || QUANTITIES.some((each) => each === key) || this.indexOf.has(key) ? key : undefined;
  }

  /** The same of what one sorts by: names too. @param {string} name */
  sortable(name) {
    return TEXTS.includes(name) ? name : this.column(name);
  }

  /** What rows are sorted by: numbers, or for text its place in the order of the page's language. @param {string} key */
  orderOf(key) {
    if (!TEXTS.includes(key)) return this.numbersOf(key);
    const kept = this.#numbers.get(key);
    if (kept) return kept;
    const words = key === "model" ? this.content.models.map((each) => each.name) : this.content.words[key];
    const { compare } = new Intl.Collator(document.documentElement.lang, { numeric: true, sensitivity: "accent" });
    const order = [...words.keys()].sort((first, second) => compare(words[first], words[second]));
    const places = Array(words.length).fill(0);
    for (let at = 1; at < order.length; at++) {
      const [before, word] = [order[at - 1], order[at]];
      places[word] = places[before] + (compare(words[before], words[word]) ? 1 : 0);
    }
    return this.#kept(key, this.entries[key].map((word) => places[word]), false);
  }

  /**
   * The numbers of a column as they are shown (shares in per cent), NaN where there is none.
   * @param {string} key
   */
  numbersOf(key) {
    const index = this.indexOf.get(key);
    return index === undefined ? this.#kept(key, this.entries[key], TENTHS.has(key)) : this.cellNumbers(index);
  }

  /** The same of a task or further metric by its place in `tasks`. @param {number} index */
  cellNumbers(index) {
    return this.#kept(index, this.content.cells[index].value, this.tasks[index].share);
  }

  /** @param {string | number} key @param {(number | null)[]} values @param {boolean} tenths */
  #kept(key, values, tenths) {
    let numbers = this.#numbers.get(key);
    if (!numbers) {
      numbers = Float64Array.from(values, (value) => (value === null ? NaN : tenths ? value / 10 : value));
      this.#numbers.set(key, numbers);
    }
    return numbers;
  }

  /** @param {"adaptation" | "method" | "family" | "provenance"} what @param {number} row */
  word(what, row) {
    return this.content.words[what][this.entries[what][row]];
  }

  /** @param {number} row */
  model(row) {
    return this.content.models[this.entries.model[row]];
  }
}

/** @param {string} address @returns {Promise<Table>} */
export async function load(address) {
  const response = await fetch(address);
  if (!response.ok) throw new Error(`${address}: ${response.status}`);
  return new Table(await response.json());
}
