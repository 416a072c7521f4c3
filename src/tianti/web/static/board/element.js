// Elements with text; text only, never markup.

/**
 * @template {keyof HTMLElementTagNameMap} Name
 * @param {Name} name
 * @param {string} kind its class
 * @param {...(string | Node)} content
 * @returns {HTMLElementTagNameMap[Name]}
 */
export function element(name, kind = "", ...content) {
  const made = document.createElement(name);
  if (kind) made.className = kind;
  made.append(...content);
  return made;
}

/** A name that may go on in another line behind what divides it, as tianti.web.environment has it. @param {string} name */
export function broken(name) {
  const parts = name.split(/(?<=[\/_:,])(?=[^\/_:,])|(?<=\.)(?=[A-Za-z])|(?<=[^(])(?=\()/u);
  return parts.flatMap((part, at) => (at ? [element("wbr"), part] : [part]));
}
