// Menus of choices above a table: folds that are closed when one goes elsewhere.

/** A menu opens inside of the window, and closes when one goes elsewhere or presses Escape. @param {HTMLFormElement} form */
export function setUpMenus(form) {
  const menus = form.querySelectorAll("details");
  for (const menu of menus) {
    const choices = /** @type {HTMLElement} */ (menu.querySelector(".choices"));
    menu.addEventListener("toggle", () => {
      choices.style.translate = "0";
      const beyond = choices.getBoundingClientRect().right + 8 - document.documentElement.clientWidth;
      if (beyond > 0) choices.style.translate = `${-beyond}px`;
    });
  }
  document.addEventListener("click", (event) => {
    for (const menu of menus) if (!menu.contains(/** @type {Node} */ (event.target))) menu.open = false;
  });
  form.addEventListener("keydown", (event) => {
    const menu = /** @type {HTMLElement} */ (event.target).closest("details");
    if (event.key !== "Escape" || !menu?.open) return;
    menu.open = false;
    menu.querySelector("summary")?.focus();
  });
}
