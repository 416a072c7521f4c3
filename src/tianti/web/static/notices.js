// What a page has to say of its address or its data, until it is dismissed.

import { element } from "./board/element.js";
import { t } from "./words.js";

const notices = /** @type {HTMLElement} */ (document.getElementById("notices"));

/** @param {string} text */
export function notice(text) {
  const close = element("button", "remove", "×");
  close.type = "button";
  close.ariaLabel = t("Dismiss");
  const shown = element("p", "notice", text, " ", close);
  close.addEventListener("click", () => shown.remove());
  notices.append(shown);
}

export function clearNotices() {
  notices.replaceChildren();
}
