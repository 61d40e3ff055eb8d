/** Why the patient is still here, each reason with the way to end it. */

import { html } from "../../html.js";
import { toastFailure } from "../../parts/toasts.js";
import { may } from "../../service/session.js";
import { dayAndHour } from "../../service/times.js";
import { t } from "../../shell/text.js";
import { quietly } from "../../tickets/change.js";
import { endDelay } from "../../tickets/verbs.js";

/** @param {import("./actions.js").Props} props */
export function Delays({ ticket, changed, writing }) {
  if (!ticket.delays.length) return null;
  const end = async (/** @type {{id: number, reason: string}} */ one) => {
    writing.value = true;
    await quietly(endDelay(ticket, one).then(changed)).catch(toastFailure);
    writing.value = false;
  };
  return html`
    <ul class="held-up" aria-label=${t("ticket.delays")}>
      ${ticket.delays.map(
        (one) => html`
          <li key=${one.id}>
            <div><strong>${one.reason}</strong>${one.note ? html`<p>${one.note}</p>` : null}<small>${t("ticket.byAt", { by: one.by, at: dayAndHour(one.at) })}</small></div>
            ${may("clinical") ? html`<button type="button" disabled=${writing.value} onClick=${() => end(one)}>${t("delay.end")}</button>` : null}
          </li>
        `,
      )}
    </ul>
  `;
}
