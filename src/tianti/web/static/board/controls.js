// The controls above the table: they show a selection, and say what it becomes.

import { setUpMenus } from "../menus.js";
import { t } from "../words.js";
import { LISTS, everything, writeCondition } from "./address.js";
import { standard } from "./columns.js";
import { element } from "./element.js";

/** @typedef {import("./address.js").Selection} Selection */
/** @typedef {import("./address.js").Condition} Condition */
/** @typedef {import("./data.js").Table} Table */

const SIGNS = { lt: "<", le: "≤", gt: ">", ge: "≥" };

export class Controls {
  /** @type {Selection} */ #shown = everything();

  /**
   * @param {HTMLFormElement} form
   * @param {Table} table
   * @param {(selection: Selection, page?: boolean) => void} choose `page`: so much changes that one may want to go back
   */
  constructor(form, table, choose) {
    this.form = form;
    this.table = table;
    this.chips = /** @type {HTMLElement} */ (form.querySelector(".chips"));
    form.hidden = false;
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("input", (event) => {
      const { name } = /** @type {HTMLInputElement} */ (event.target);
      if (name === "q" || name === "size" || name === "cols" || name in LISTS) choose(this.#read(name));
    });
    form.addEventListener("click", (event) => {
      const { add, condition, all } = /** @type {HTMLElement} */ (event.target).dataset;
      if (add !== undefined) this.#add(choose);
      else if (condition !== undefined) choose(this.#without(condition));
      else if (all !== undefined) choose({ ...everything(), pins: this.#shown.pins }, true);
    });
    setUpMenus(form);
  }

  /** Show a selection, and how many entries it has. @param {Selection} selection @param {number} count */
  show(selection, count) {
    this.#shown = selection;
    const output = /** @type {HTMLOutputElement} */ (this.form.elements.namedItem("count"));
    output.value = t("{shown} of {total} entries", { shown: grouped(count), total: grouped(this.table.count) });
    const search = this.#input("q");
    if (search.value !== selection.search) search.value = selection.search;
    for (const [key, part] of Object.entries(LISTS)) this.#check(key, selection[part], selection[part].length);
    const columns = selection.columns.length ? selection.columns : standard(this.table);
    this.#check("cols", columns, selection.columns.length);
    const written = selection.conditions.map(writeCondition);
    const sizes = written.filter((each) => each.startsWith("parameters:")).join(" ");
    const size = /** @type {HTMLSelectElement} */ (this.form.elements.namedItem("size"));
    size.value = sizes;
    if (size.selectedIndex < 0) size.value = "";
    this.chips.replaceChildren(...selection.conditions.map((each) => this.#chip(each)));
  }

  /** @param {string} name @param {string[]} values @param {number} count */
  #check(name, values, count) {
    const boxes = /** @type {NodeListOf<HTMLInputElement>} */ (this.form.querySelectorAll(`input[name="${name}"]`));
    for (const box of boxes) box.checked = values.includes(box.value);
    const chosen = boxes[0]?.closest("details")?.querySelector(".chosen");
    if (chosen) chosen.textContent = count ? String(count) : "";
  }

  /** @param {string} name the control that was changed @returns {Selection} */
  #read(name) {
    const said = new FormData(this.form);
    const all = (/** @type {string} */ key) => said.getAll(key).map(String);
    const selection = { ...this.#shown };
    if (name === "q") selection.search = all("q")[0];
    else if (name === "cols") selection.columns = this.#columns(all("cols"));
    else if (name === "size") {
      const others = selection.conditions.filter((each) => each.column !== "parameters");
      selection.conditions = [...others, ...all("size")[0].split(" ").filter(Boolean).map(conditionOf)];
    } else selection[LISTS[/** @type {keyof typeof LISTS} */ (name)]] = all(name);
    return selection;
  }

  /** Columns keep their order; new ones come last. @param {string[]} checked */
  #columns(checked) {
    const usual = standard(this.table);
    const before = this.#shown.columns.length ? this.#shown.columns : usual;
    const kept = before.filter((key) => checked.includes(key));
    const columns = [...kept, ...checked.filter((key) => !kept.includes(key))];
    if (columns.join() === usual.join()) return [];
    return columns.length ? columns : ["rank"];
  }

  /** @param {(selection: Selection) => void} choose */
  #add(choose) {
    const number = this.#input("number");
    if (number.value === "" || !Number.isFinite(number.valueAsNumber)) {
      number.focus();
      return;
    }
    const added = conditionOf([this.#input("column").value, this.#input("operator").value, number.value].join(":"));
    number.value = "";
    choose({ ...this.#shown, conditions: [...this.#shown.conditions, added] });
  }

  /** @param {string} written */
  #without(written) {
    const conditions = this.#shown.conditions.filter((each) => writeCondition(each) !== written);
    return { ...this.#shown, conditions };
  }

  /** @param {Condition} condition */
  #chip(condition) {
    const { column, operator, number } = condition;
    const options = /** @type {HTMLSelectElement} */ (this.form.elements.namedItem("column")).options;
    const name = Array.from(options).find((each) => each.value === column)?.text ?? column;
    const text = `${name} ${SIGNS[operator]} ${number.toLocaleString()}`;
    const remove = element("button", "remove", "×");
    remove.type = "button";
    remove.dataset.condition = writeCondition(condition);
    remove.ariaLabel = t("Remove the filter {filter}", { filter: text });
    return element("li", "", element("span", "", text), remove);
  }

  /** @param {string} name */
  #input(name) {
    return /** @type {HTMLInputElement} */ (this.form.elements.namedItem(name));
  }
}

/** With the separators of the language. @param {number} count */
function grouped(count) {
  return count.toLocaleString(document.documentElement.lang);
}

/** @param {string} text of our own writing @returns {Condition} */
function conditionOf(text) {
  const [, column, operator, number] = /** @type {RegExpExecArray} */ (/^(.+):(..):(.+)$/su.exec(text));
  return { column, operator: /** @type {Condition["operator"]} */ (operator), number: Number(number) };
}
