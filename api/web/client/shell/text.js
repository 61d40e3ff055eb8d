/** Every text that people read, in the language that they chose: `t("key", {n: 3})`. */

import { effect, signal } from "../html.js";
import { en } from "../texts/en.js";
import { es } from "../texts/es.js";

/** @typedef {keyof typeof es} Key */
/** @typedef {string | {one: string, other: string}} Text  Two forms where a number `n` decides. */
/** @typedef {Record<Key, Text>} Catalog */
/** @typedef {"es-CL" | "en"} Language */

/** @type {Record<Language, Catalog>} */
const CATALOGS = { "es-CL": es, en };
const KEPT = "ticket-home.language";
export const LANGUAGES = /** @type {Language[]} */ (Object.keys(CATALOGS));

/** @type {import("../html.js").Signal<Language>} */
export const language = signal(LANGUAGES.find((one) => one === localStorage.getItem(KEPT)) ?? "es-CL");

effect(() => {
  document.documentElement.lang = language.value;
  localStorage.setItem(KEPT, language.value);
});

/** @param {Key} key @param {Record<string, string | number>} [values] */
export function t(key, values = {}) {
  const text = CATALOGS[language.value][key];
  const form = typeof text === "string" ? text : text[plural(Number(values.n))];
  return form.replace(/\{(\w+)\}/g, (whole, name) => String(values[name] ?? whole));
}

/** The text of a word of the API, such as a state; the word itself where this release does not know it yet.
 * @param {string} area @param {string} word @param {Record<string, string | number>} [values] */
export function told(area, word, values) {
  const key = `${area}.${word}`;
  return key in CATALOGS[language.value] ? t(/** @type {Key} */ (key), values) : word;
}

/** The words of the API that an area has texts for. @param {string} area */
export function wordsOf(area) {
  return Object.keys(CATALOGS[language.value]).filter((key) => key.startsWith(`${area}.`)).map((key) => key.slice(area.length + 1));
}

/** @param {number} n @returns {"one" | "other"} */
function plural(n) {
  return new Intl.PluralRules(language.value).select(n) === "one" ? "one" : "other";
}
