/** How a ticket stands, in the colours of the board and in a word: never by colour alone. */

import { html } from "../html.js";
import { told } from "../shell/text.js";

/** @typedef {import("../service/api.js").Schemas["State"]} State */

/** @param {{state: string}} props  A state, or a status where the state is not told. */
export function StateMark({ state }) {
  return html`<span class="state-mark" data-state=${state}>${told("state", state)}</span>`;
}
