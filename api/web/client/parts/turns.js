/** From one page of a list to the next one, and back. */

import { html, useState } from "../html.js";
import { t } from "../shell/text.js";

/**
 * @param {object} props
 * @param {number} props.page  From 1.
 * @param {(() => void) | null | undefined} props.back  Null where there is none before.
 * @param {(() => void) | null | undefined} props.forward
 */
export function Turns({ page, back, forward }) {
  if (!back && !forward) return null;
  const turn = (/** @type {() => void} */ go) => () => {
    go();
    document.getElementById("main")?.scrollIntoView();
  };
  return html`
    <nav class="turns" aria-label=${t("turns.pages")}>
      ${back ? html`<button type="button" onClick=${turn(back)}>${t("turns.before")}</button>` : null}
      <span>${t("turns.page", { n: page })}</span>
      ${forward ? html`<button type="button" onClick=${turn(forward)}>${t("turns.after")}</button>` : null}
    </nav>
  `;
}

/** Where one is in a list that is turned by cursors; a list of another question begins with another component (`key`). */
export function useTurns() {
  const [cursors, setCursors] = useState(/** @type {(string | null)[]} */ ([null]));
  const ways = (/** @type {string | null | undefined} */ next) => ({
    page: cursors.length,
    back: cursors.length > 1 ? () => setCursors(cursors.slice(0, -1)) : null,
    forward: next ? () => setCursors([...cursors, next]) : null,
  });
  return { cursor: cursors.at(-1) ?? null, ways };
}
