// Moving through the table by keys, as in a grid. One cell is reached by Tab; it is the same one however its row is
// drawn. While it is out of sight, what scrolls holds the focus in its place.

/** @typedef {import("./grid.js").Grid} Grid */

export class Keyboard {
  /** Said of the cell that is reached. @type {(position: number, column: number) => void} */ reached = () => {};
  #at = { position: 0, column: 0 };
  /** @type {HTMLElement | null} */ #cell = null;
  #waits = false;

  /** @param {Grid} grid */
  constructor(grid) {
    this.grid = grid;
    grid.around = (draw) => this.#keepFocus(draw);
    grid.scroll.addEventListener("keydown", (event) => this.#press(event));
    grid.scroll.addEventListener("focusin", (event) => this.#enter(/** @type {HTMLElement} */ (event.target)));
    grid.scroll.addEventListener("blur", () => {
      this.#waits = false;
    });
  }

  /** @param {() => void} draw */
  #keepFocus(draw) {
    const { grid } = this;
    const held = grid.table.contains(document.activeElement) || (this.#waits && document.activeElement === grid.scroll);
    draw();
    this.#at.position = Math.min(this.#at.position, grid.entries.length - 1);
    this.#at.column = Math.min(this.#at.column, grid.columns.length - 1);
    const cell = grid.cell(this.#at.position, this.#at.column);
    this.#mark(cell);
    if (!held || cell?.contains(document.activeElement)) return;
    (cell ?? grid.scroll).focus({ preventScroll: true });
    this.#waits = cell === null;
  }

  /** @param {HTMLElement | null} cell */
  #mark(cell) {
    if (this.#cell) this.#cell.tabIndex = -1;
    this.#cell = cell;
    if (cell) cell.tabIndex = 0;
  }

  /** @param {HTMLElement} target */
  #enter(target) {
    const cell = /** @type {HTMLElement | null} */ (target.closest("[aria-colindex]"));
    const row = cell?.closest("tr");
    if (!cell || !row) return;
    const position = Number(row.getAttribute("aria-rowindex")) - 2;
    this.#at = { position, column: Number(cell.getAttribute("aria-colindex")) - 1 };
    this.#mark(cell);
    this.reached(this.#at.position, this.#at.column);
  }

  /** @param {KeyboardEvent} event */
  #press(event) {
    const target = /** @type {HTMLElement} */ (event.target);
    if (event.altKey || event.metaKey || (target !== this.grid.scroll && !target.closest("table"))) return;
    if (target === this.grid.scroll && !this.#waits) return;
    if (event.key === "Enter" || event.key === " ") {
      if (target !== this.#cell) return;
      event.preventDefault();
      const inside = /** @type {HTMLElement | null} */ (this.#cell.querySelector("a, button"));
      inside?.click();
      return;
    }
    const next = this.#next(event.key, event.ctrlKey);
    if (!next) return;
    event.preventDefault();
    this.grid.reach(next.position, next.column)?.focus();
  }

  /** @param {string} key @param {boolean} far */
  #next(key, far) {
    const { position, column } = this.#at;
    const { columns, entries, page } = this.grid;
    const [lastRow, lastColumn] = [entries.length - 1, columns.length - 1];
    const to = (/** @type {number} */ row, /** @type {number} */ at) => ({
      position: Math.min(Math.max(row, -1), lastRow),
      column: Math.min(Math.max(at, 0), lastColumn),
    });
    switch (key) {
      case "ArrowUp":
        return to(position - 1, column);
      case "ArrowDown":
        return to(position + 1, column);
      case "ArrowLeft":
        return to(position, column - 1);
      case "ArrowRight":
        return to(position, column + 1);
      case "PageUp":
        return to(Math.max(position - page, Math.min(position, 0)), column);
      case "PageDown":
        return to(position + page, column);
      case "Home":
        return to(far ? 0 : position, 0);
      case "End":
        return to(far ? lastRow : position, lastColumn);
      default:
        return null;
    }
  }
}
