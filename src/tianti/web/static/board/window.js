// Which rows and columns of a table are in sight.

/** @typedef {{from: number, to: number}} Span from the first to before the last */

/** Rows and columns that are kept ready beyond what is in sight. */
const READY = { rows: 3, columns: 1 };

/**
 * @param {number} top how far it is scrolled @param {number} room how high what is in sight is
 * @param {number} height of a row @param {number} count of rows
 * @returns {Span}
 */
export function rowsInSight(top, room, height, count) {
  const inSight = Math.ceil(room / height);
  const first = Math.max(0, Math.min(count - inSight, Math.floor(top / height)) - READY.rows);
  return { from: first, to: Math.min(count, first + inSight + 2 * READY.rows) };
}

/**
 * @param {number} left how far it is scrolled @param {number} room how wide what is in sight is
 * @param {number[]} widths of all columns @param {number} fixed how many of the first are always there
 * @returns {Span}
 */
export function columnsInSight(left, room, widths, fixed) {
  let [at, first, last] = [0, fixed, fixed];
  for (let index = fixed; index < widths.length; index += 1) {
    const end = at + widths[index];
    if (end < left) first = index + 1;
    if (at < left + room) last = index + 1;
    at = end;
  }
  return { from: Math.max(fixed, first - READY.columns), to: Math.min(widths.length, last + READY.columns) };
}

/** Whether what is drawn serves for what is in sight, and is not much more. @param {Span} drawn @param {Span} sight */
export function serves(drawn, sight) {
  const more = drawn.to - drawn.from - (sight.to - sight.from);
  return drawn.from <= sight.from && sight.to <= drawn.to && more <= 6 * READY.columns;
}

/** @param {number[]} numbers */
export function sum(numbers) {
  return numbers.reduce((total, each) => total + each, 0);
}
