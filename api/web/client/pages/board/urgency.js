/** How long a patient has yet to stay, second by second. */

import { html } from "../../html.js";
import { now, span } from "../../service/clock.js";
import { t } from "../../shell/text.js";

/** @typedef {{state: string, admission_at: string, current_fpa: string}} Timed */

/** To the FPA, since it, or to the admission. @param {{of: Timed}} props */
export function Countdown({ of }) {
  if (of.state === "discharged" || of.state === "annulled") return null;
  const to = Date.parse(of.state === "scheduled" ? of.admission_at : of.current_fpa);
  const left = to - now.value;
  const text = left < 0 ? t("board.late", { span: span(-left) }) : span(left);
  return html`<time class="countdown" dateTime=${of.current_fpa}>${text}</time>`;
}
