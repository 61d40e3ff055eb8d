/** What was done to a ticket, the newest first: by whom, when, and what changed. */

import { html } from "../../html.js";
import { Changes } from "../../parts/changes.js";
import { dayAndHour } from "../../service/times.js";
import { t, told } from "../../shell/text.js";

/** @param {{ticket: import("../ticket.js").Ticket}} props */
export function History({ ticket }) {
  return html`
    <section class="panel history">
      <h2>${t("timeline.title")}</h2>
      <ol>
        ${[...ticket.history].reverse().map(
          (one, at) => html`
            <li key=${ticket.history.length - at}>
              <p><strong>${told("did", one.action.replace(".", "_"))}</strong> <span>${t("ticket.byAt", { by: one.by, at: dayAndHour(one.at) })}</span></p>
              <${Changes} changes=${/** @type {any} */ (one.changes)} />
            </li>
          `,
        )}
      </ol>
    </section>
  `;
}
