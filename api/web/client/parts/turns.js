/** From one page of a list to the next one, and back. */

import { html } from "../html.js";
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
