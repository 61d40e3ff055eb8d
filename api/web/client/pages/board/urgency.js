/** How urgent a ticket is: in words, in a sign and in the clinic's colours. */

import { html } from "../../html.js";
import { now, span } from "../../service/clock.js";
import { Icon } from "../../parts/icon.js";
import { t } from "../../shell/text.js";

/** @typedef {import("../../service/api.js").Schemas["TicketSummary"]["state"]} State */
/** @typedef {{state: State, warning_level: "high" | "low" | null, admission_at: string, current_fpa: string}} Timed */

/** The clinic's red, yellow and green hours, and what is beyond them. @param {Timed} of */
export function colour({ state, warning_level }) {
  return state === "warning" ? `warning-${warning_level}` : state;
}

/** @type {Record<State, string>} */
const ICONS = {
  critical: "alarm", warning: "old", normal: "live", scheduled: "calendar", overdue: "warning", discharged: "check", annulled: "close",
};

/** @param {{of: Timed}} props */
export function StateLabel({ of }) {
  return html`<span class="state"><${Icon} name=${ICONS[of.state]} />${t(`state.${of.state}`)}</span>`;
}

/** To the FPA, since it, or to the admission. @param {{of: Timed}} props */
export function Countdown({ of }) {
  if (of.state === "discharged" || of.state === "annulled") return null;
  const to = Date.parse(of.state === "scheduled" ? of.admission_at : of.current_fpa);
  const left = to - now.value;
  const text = left < 0 ? t("board.late", { span: span(-left) }) : span(left);
  return html`<time class="countdown" dateTime=${of.current_fpa}>${text}</time>`;
}
