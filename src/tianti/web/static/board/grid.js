// The table: real rows and cells, but only those in sight. A row that leaves at one end comes back at the other. Cells are
// filled by hand: what a library for components does well, keeping a tree like its description, is what must not happen
// here in every frame, and the controls are a form that the template holds already. So there is none.

import { broken, element } from "./element.js";
import { columnsInSight, rowsInSight, serves, sum } from "./window.js";

/** @typedef {import("./columns.js").Column} Column */
/** @typedef {HTMLTableRowElement & {position: number}} Row */

/** Rank, model and adaptation are always drawn. */
const FIXED = 3;

export class Grid {
  /** @type {Column[]} */ columns = [];
  /** The entries by their positions; the pinned ones have the first. @type {number[]} */ entries = [];
  pinned = 0;
  /** The column that the rows are sorted by. */ sorted = { key: "rank", down: false };
  /** What a row is besides its cells. @type {(row: Row, entry: number, before: number | undefined) => void} */
  dress = () => {};
  /** Called around every drawing. @type {(draw: () => void) => void} */ around = (draw) => draw();

  /** @type {Row[]} */ #rows = [];
  /** @type {number[]} */ #widths = [];
  #span = { from: FIXED, to: FIXED };
  /** The columns that are drawn. @type {number[]} */ #drawn = [];
  #height = 36;
  #waits = false;
  #above = space();
  #below = space();

  /** @param {HTMLElement} scroll what scrolls @param {HTMLTableElement} table with a heading and one body */
  constructor(scroll, table) {
    this.scroll = scroll;
    this.table = table;
    this.heading = /** @type {HTMLTableSectionElement} */ (table.tHead).rows[0];
    this.top = table.tBodies[0];
    this.top.className = "pinned";
    this.body = table.createTBody();
    this.body.append(this.#above, this.#below);
    this.widths = /** @type {HTMLElement} */ (table.querySelector("colgroup"));
    this.heading.setAttribute("aria-rowindex", "1");
    scroll.addEventListener("scroll", () => this.#soon(), { passive: true });
    new ResizeObserver(() => this.#soon()).observe(scroll);
  }

  /** Show other columns or entries. @param {Column[]} columns @param {number[]} entries @param {number} pinned */
  show(columns, entries, pinned) {
    this.columns = columns;
    this.entries = entries;
    this.pinned = pinned;
    this.table.setAttribute("aria-rowcount", String(entries.length + 1));
    this.table.setAttribute("aria-colcount", String(columns.length));
    // The style sheet says how wide each kind of column is, and how high a row.
    this.widths.replaceChildren(...columns.map((column) => element("col", column.kind)));
    this.#widths = Array.from(this.widths.children, (col) => parseFloat(getComputedStyle(col).width));
    this.table.style.width = `${sum(this.#widths)}px`;
    const room = this.scroll.clientHeight;
    this.#draw(true);
    const height = this.#rows[0]?.getBoundingClientRect().height;
    if (height && height !== this.#height) {
      this.#height = height;
      this.#draw(true);
    } else if (this.scroll.clientHeight > room) this.#draw(false); // It grew with its rows, and has room for more.
  }

  /** The cell at a position (−1: heading) and column, drawn where it was not. @param {number} position @param {number} column */
  reach(position, column) {
    if (column >= FIXED && !this.cell(-1, column)) {
      this.scroll.scrollLeft = sum(this.#widths.slice(FIXED, column)) - this.scroll.clientWidth / 2;
      this.#draw(false);
    }
    if (!this.cell(position, column)) {
      this.scroll.scrollTop = (position - this.pinned) * this.#height - this.scroll.clientHeight / 2;
      this.#draw(false);
    }
    const cell = this.cell(position, column);
    if (cell && column >= FIXED) this.#uncover(cell);
    return cell;
  }

  /** Scroll as far as a cell lies behind the right edge, or under the columns that stay in sight. @param {HTMLElement} cell */
  #uncover(cell) {
    const { scroll } = this;
    const start = scroll.getBoundingClientRect().left + scroll.clientLeft;
    const kept = parseFloat(getComputedStyle(scroll).scrollPaddingLeft) || 0;
    scroll.scrollLeft += Math.max(0, Math.ceil(cell.getBoundingClientRect().right - start - scroll.clientWidth));
    scroll.scrollLeft -= Math.max(0, Math.ceil(start + kept - cell.getBoundingClientRect().left));
  }

  /** The same, if it is drawn. @param {number} position @param {number} column */
  cell(position, column) {
    const row =
      position < 0
        ? this.heading
        : position < this.pinned
          ? this.top.rows[position]
          : this.#rows.find((each) => each.position === position);
    return /** @type {HTMLTableCellElement | null} */ (
      row?.querySelector(`:scope > [aria-colindex="${column + 1}"]`) ?? null
    );
  }

  /** How many rows are in sight at once. */
  get page() {
    return Math.max(1, Math.floor((this.scroll.clientHeight - this.#covered()) / this.#height));
  }

  /** How high heading and pinned rows are, which lie over what scrolls. */
  #covered() {
    return this.heading.offsetHeight + (this.#sticks() ? this.pinned * this.#height : 0);
  }

  /** Pinned rows stay in sight where they leave room for others. */
  #sticks() {
    return this.pinned * this.#height < this.scroll.clientHeight / 3;
  }

  #soon() {
    if (this.#waits) return;
    this.#waits = true;
    requestAnimationFrame(() => {
      this.#waits = false;
      this.#draw(false);
    });
  }

  /** @param {boolean} anew whether what is drawn is of other columns or entries */
  #draw(anew) {
    this.around(() => {
      const { scrollLeft, scrollTop, clientWidth, clientHeight } = this.scroll;
      const sight = columnsInSight(scrollLeft, clientWidth, this.#widths, FIXED);
      if (anew || !serves(this.#span, sight)) {
        this.#span = sight;
        this.#drawn = [...this.columns.keys()].filter((at) => at < FIXED || (at >= sight.from && at < sight.to));
        for (const row of this.#rows) row.remove();
        this.#rows = [];
        this.#drawHeading();
        this.#drawPinned();
      }
      const count = this.entries.length - this.pinned;
      const { from, to } = rowsInSight(scrollTop, clientHeight, this.#height, count);
      this.#drawRows(from + this.pinned, to + this.pinned);
      this.#above.style.height = `${from * this.#height}px`;
      this.#below.style.height = `${(count - to) * this.#height}px`;
      // While columns were changed the table had no rows and was low: a browser may have scrolled it up.
      if (this.scroll.scrollTop !== scrollTop) this.scroll.scrollTop = scrollTop;
    });
  }

  #drawHeading() {
    const { from, to } = this.#span;
    const cells = this.#drawn.map((index) => this.#headingCell(index));
    const columns = this.#drawn.map((index) => element("col", this.columns[index].kind));
    const [left, right] = [sum(this.#widths.slice(FIXED, from)), sum(this.#widths.slice(to))].map((width) => {
      const col = element("col");
      col.style.width = `${width}px`;
      return col;
    });
    columns.splice(FIXED, 0, left);
    this.widths.replaceChildren(...columns, right);
    this.heading.replaceChildren(...withGaps(cells));
  }

  /** @param {number} index */
  #headingCell(index) {
    const column = this.columns[index];
    const cell = element("th", column.numeric ? `number ${column.kind}` : column.kind);
    cell.scope = "col";
    cell.setAttribute("aria-colindex", String(index + 1));
    cell.tabIndex = -1;
    cell.title = column.name;
    if (column.key) {
      const button = element("button", "sort", element("span", "heading", ...broken(column.name)));
      button.type = "button";
      button.tabIndex = -1;
      button.dataset.sort = column.key;
      cell.append(button);
    } else cell.append(element("span", "heading", ...broken(column.name)));
    if (column.small) cell.append(" ", element("small", "", column.small));
    if (column.key === this.sorted.key) {
      cell.setAttribute("aria-sort", this.sorted.down ? "descending" : "ascending");
    }
    return cell;
  }

  #drawPinned() {
    this.top.replaceChildren(...this.entries.slice(0, this.pinned).map((_, at) => this.#filled(undefined, at)));
    this.top.classList.toggle("sticks", this.#sticks());
    const covered = this.heading.offsetHeight;
    Array.from(this.top.rows, (row, at) => row.style.setProperty("--top", `${covered + at * this.#height}px`));
    this.scroll.style.scrollPaddingTop = `${this.#covered()}px`;
  }

  /** @param {number} from @param {number} to */
  #drawRows(from, to) {
    const kept = this.#rows.filter((row) => row.position >= from && row.position < to);
    const free = this.#rows.filter((row) => row.position < from || row.position >= to);
    const first = kept[0]?.position ?? to;
    const last = kept.at(-1)?.position ?? to - 1;
    const before = [...Array(first - from).keys()].map((each) => this.#filled(free.pop(), from + each));
    const behind = [...Array(to - 1 - last).keys()].map((each) => this.#filled(free.pop(), last + 1 + each));
    for (const row of free) row.remove();
    this.#above.after(...before);
    this.#below.before(...behind);
    this.#rows = [...before, ...kept, ...behind];
  }

  /** A row at a position; one that is free is filled with other content. @param {Row | undefined} free @param {number} position */
  #filled(free, position) {
    const row = free ?? this.#emptyRow();
    const entry = this.entries[position];
    row.position = position;
    row.setAttribute("aria-rowindex", String(position + 2));
    let at = 0;
    for (const index of this.#drawn) {
      if (at === FIXED) at += 1;
      this.columns[index].draw(row.cells[at], entry);
      at += 1;
    }
    this.dress(row, entry, position > this.pinned ? this.entries[position - 1] : undefined);
    return row;
  }

  /** @returns {Row} */
  #emptyRow() {
    const cells = this.#drawn.map((index) => {
      const { kind, numeric } = this.columns[index];
      const cell = element(kind === "name" ? "th" : "td", numeric ? `number ${kind}` : kind);
      if (kind === "name") cell.scope = "row";
      cell.setAttribute("aria-colindex", String(index + 1));
      cell.tabIndex = -1;
      return cell;
    });
    return Object.assign(element("tr", "", ...withGaps(cells)), { position: -1 });
  }
}

/** Cells with the two gaps where columns are left out. @param {HTMLElement[]} cells */
function withGaps(cells) {
  const [left, right] = [element("td", "gap"), element("td", "gap")];
  left.ariaHidden = right.ariaHidden = "true";
  return [...cells.slice(0, FIXED), left, ...cells.slice(FIXED), right];
}

/** A row in place of those that are not drawn. */
function space() {
  const row = element("tr", "space", element("td"));
  row.ariaHidden = "true";
  return row;
}
