/** Keys: a page says which it takes while it is shown, `?` lists them all. Nothing is taken while somebody types. */

import { html, useEffect } from "../html.js";
import { ask, Dialog } from "../parts/dialog.js";
import { t } from "./text.js";

/** @typedef {{key: string, does: import("./text.js").Key, run: (event: KeyboardEvent) => void}} Shortcut */

/** @type {Set<Shortcut[]>} */
const taken = new Set();

/** @param {Shortcut[]} shortcuts of the part that calls this, for as long as it is shown */
export function useShortcuts(shortcuts) {
  useEffect(() => {
    taken.add(shortcuts);
    return () => void taken.delete(shortcuts);
  });
}

/** @type {Shortcut} */
const HELP = { key: "?", does: "keys.help", run: () => showKeys() };

function all() {
  return [HELP, ...[...taken].flat()];
}

/** @param {EventTarget | null} target */
function isTyping(target) {
  return target instanceof HTMLElement && (target.isContentEditable || target.matches("input, select, textarea"));
}

addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target) || document.querySelector("dialog[open]")) return;
  const found = all().find((one) => one.key === event.key);
  if (!found) return;
  event.preventDefault();
  found.run(event);
});

function showKeys() {
  const keys = all();
  return ask(
    (close) => html`
      <${Dialog} title=${t("keys.title")} close=${close}>
        <dl class="keys">
          ${keys.map((one) => html`<div key=${one.key}><dt><kbd>${one.key}</kbd></dt><dd>${t(one.does)}</dd></div>`)}
        </dl>
      </${Dialog}>
    `,
  );
}
