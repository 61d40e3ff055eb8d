/** What was done to a ticket, the newest first: by whom, when, and what changed. */

import { html } from "../../html.js";
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
              <${Changes} changes=${/** @type {Record<string, [unknown, unknown]>} */ (one.changes)} />
            </li>
          `,
        )}
      </ol>
    </section>
  `;
}

/** @param {{changes: Record<string, [unknown, unknown]>}} props of each field, before and after */
function Changes({ changes }) {
  const told_ = Object.entries(changes).filter(([name]) => !name.endsWith("_id") || name === "episode_id");
  if (!told_.length) return null;
  return html`
    <ul>
      ${told_.map(
        ([name, [before, after]]) => html`
          <li key=${name}><span>${told("change", name)}:</span> ${before === null ? null : html`<del>${shown(before)}</del> `}${after === null ? (before === null ? "–" : null) : html`<ins>${shown(after)}</ins>`}</li>
        `,
      )}
    </ul>
  `;
}

/** @param {unknown} value of a column */
function shown(value) {
  if (typeof value === "string" && /^\d{4}-\d\d-\d\dT/.test(value)) return dayAndHour(value);
  if (typeof value === "boolean") return t(value ? "timeline.yes" : "timeline.no");
  if (typeof value === "object" && value !== null) return Object.values(value).filter((one) => typeof one !== "object").join(" ");
  return told("status", String(value));
}
