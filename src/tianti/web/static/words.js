// The words of the scripts: English in the scripts, as in the templates; other languages from the same catalog.

const language = document.documentElement.lang.split("-")[0];
const texts = language === "en" ? null : await catalog();

/** @returns {Promise<Record<string, string>>} message → text */
async function catalog() {
  const response = await fetch(new URL(`../api/v1/words/${language}.json`, import.meta.url));
  if (!response.ok) throw new Error(`the words of ${language} did not come: ${response.status}`);
  return response.json();
}

/**
 * The text of a message in the language of the page, with its places filled in.
 * @param {string} message
 * @param {Record<string, string | number>} [places]
 */
export function t(message, places = {}) {
  const text = texts ? texts[message] : message;
  if (text === undefined) throw new Error(`no words for ${message}`);
  return text.replace(/\{(\w+)\}/g, (_, name) => String(places[name]));
}
