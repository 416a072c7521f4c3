// Which entries a selection shows, and in which order.

/** @typedef {import("./data.js").Table} Table */
/** @typedef {import("./address.js").Selection} Selection */
/** @typedef {import("./address.js").Condition} Condition */

/** @type {Record<Condition["operator"], (value: number, than: number) => boolean>} */
const HOLDS = {
  lt: (value, than) => value < than,
  le: (value, than) => value <= than,
  gt: (value, than) => value > than,
  ge: (value, than) => value >= than,
};

/**
 * The rows that fit, sorted. What a number is missing for fits no condition, and comes last in either direction.
 * Pinned entries are not among them.
 * @param {Table} table
 * @param {Selection} selection
 */
export function select(table, selection) {
  const tests = [...testsOf(table, selection)];
  const rows = [];
  for (let row = 0; row < table.count; row += 1) {
    if (tests.every((test) => test(row))) rows.push(row);
  }
  return sorted(table, rows, selection.sort);
}

/** @param {Table} table @param {Selection} selection @returns {Iterable<(row: number) => boolean>} */
function* testsOf(table, selection) {
  const { entries, content } = table;
  if (selection.pins.length) {
    const pinned = new Set(pinnedRows(table, selection));
    yield (row) => !pinned.has(row);
  }
  for (const [column, wanted] of /** @type {const} */ ([
    ["method", selection.regimes],
    ["family", selection.families],
    ["provenance", selection.provenances],
  ])) {
    if (wanted.length) {
      const fits = content.words[column].map((word) => wanted.includes(word));
      yield (row) => fits[entries[column][row]];
    }
  }
  for (const { column, operator, number } of selection.conditions) {
    const numbers = table.numbersOf(column);
    const holds = HOLDS[operator];
    yield (row) => holds(numbers[row], number);
  }
  if (selection.search) {
    const text = selection.search.toLowerCase();
    const models = content.models.map((model) => model.name.toLowerCase().includes(text));
    const adaptations = content.words.adaptation.map((word) => word.toLowerCase().includes(text));
    yield (row) => models[entries.model[row]] || adaptations[entries.adaptation[row]];
  }
}

/** The rows of what is pinned, in the order of the address. @param {Table} table @param {Selection} selection */
export function pinnedRows(table, selection) {
  return selection.pins.map((id) => /** @type {number} */ (table.rowOf.get(id)));
}

/**
 * By the last column first, where it leaves two equal by the one before it, at last in the order of the board.
 * @param {Table} table @param {number[]} rows @param {string[]} sort
 */
function sorted(table, rows, sort) {
  const keys = sort.toReversed().map((text) => ({
    numbers: table.orderOf(text.replace(/^-/, "")),
    sign: text.startsWith("-") ? -1 : 1,
  }));
  if (!keys.length) return rows;
  return rows.sort((a, b) => {
    for (const { numbers, sign } of keys) {
      const [first, second] = [numbers[a], numbers[b]];
      if (first === second) continue;
      const missing = Number(Number.isNaN(first)) - Number(Number.isNaN(second));
      if (missing) return missing;
      if (first !== first) continue;
      return sign * (first - second);
    }
    return a - b;
  });
}
