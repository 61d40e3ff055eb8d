/** How the FPA was moved, and why. */

import { html } from "../../html.js";
import { Table } from "../../parts/table.js";
import { dayAndHour } from "../../service/times.js";
import { t } from "../../shell/text.js";

/** @typedef {import("../../service/api.js").Schemas["ModificationView"]} Modification */

/** The service refuses a sixth. */
export const MOST = 5;

/** @param {{ticket: import("../ticket.js").Ticket}} props */
export function Modifications({ ticket }) {
  const made = ticket.modifications;
  if (!made.length) return null;
  const columns = [
    { label: t("modification.before"), cell: (/** @type {Modification} */ one) => dayAndHour(one.previous_fpa) },
    { label: t("modification.after"), cell: (/** @type {Modification} */ one) => html`<strong>${dayAndHour(one.new_fpa)}</strong>` },
    { label: t("modification.reason"), cell: (/** @type {Modification} */ one) => html`<div>${one.reason}${one.justification ? html`<br /><em>${one.justification}</em>` : null}</div>` },
    { label: t("modification.by"), cell: (/** @type {Modification} */ one) => t("ticket.byAt", { by: one.by, at: dayAndHour(one.at) }) },
  ];
  return html`
    <section class="panel">
      <h2>${t("modification.title", { n: made.length, most: MOST })}</h2>
      <${Table} caption=${t("modification.title", { n: made.length, most: MOST })} columns=${columns} rows=${made} id=${(/** @type {Modification} */ one) => one.id} />
    </section>
  `;
}
