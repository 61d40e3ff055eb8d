/** Light, dark, or as the system has it. */

import { effect, signal } from "../html.js";

/** @typedef {"system" | "light" | "dark"} Theme */

const KEPT = "ticket-home.theme";
export const THEMES = /** @type {const} */ (["system", "light", "dark"]);

/** @type {import("../html.js").Signal<Theme>} */
export const theme = signal(THEMES.find((one) => one === localStorage.getItem(KEPT)) ?? "system");

effect(() => {
  document.documentElement.dataset.theme = theme.value;
  localStorage.setItem(KEPT, theme.value);
});
