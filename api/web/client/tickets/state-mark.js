/** How a ticket stands: in a word, in a sign and in the clinic's colours, never by colour alone. */

import { html } from "../html.js";
import { Icon } from "../parts/icon.js";
import { told } from "../shell/text.js";

/** @typedef {{state: string, warning_level?: "high" | "low" | null}} Standing  A state, or a status where the state is not told. */

/** The clinic's red, yellow and green hours, and what is beyond them. @param {Standing} of */
export function colour({ state, warning_level }) {
  return state === "warning" && warning_level ? `warning-${warning_level}` : state;
}

/** @type {Record<string, string>} */
const ICONS = {
  active: "live", critical: "alarm", warning: "old", normal: "live", scheduled: "calendar", overdue: "warning", discharged: "check", annulled: "close",
};

/** @param {{of: Standing}} props */
export function StateMark({ of }) {
  return html`<span class="state" data-state=${colour(of)}><${Icon} name=${ICONS[of.state] ?? "live"} />${told("state", of.state)}</span>`;
}
