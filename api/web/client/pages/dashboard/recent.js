/** The tickets that were made last. */

import { html } from "../../html.js";
import { Table } from "../../parts/table.js";
import { dayAndHour } from "../../service/times.js";
import { t } from "../../shell/text.js";
import { StateMark } from "../../tickets/state-mark.js";

/** @typedef {import("../../service/api.js").Schemas["RecentTicket"]} RecentTicket */

/** @param {{tickets: RecentTicket[]}} props */
export function Recent({ tickets }) {
  const columns = [
    { label: t("column.id"), cell: (/** @type {RecentTicket} */ one) => html`<a class="whole" href=${`/tickets/${one.id}`}>${one.id}</a>` },
    { label: t("column.surgery"), cell: (/** @type {RecentTicket} */ one) => one.surgery_name },
    { label: t("column.state"), cell: (/** @type {RecentTicket} */ one) => html`<${StateMark} of=${{ state: one.status }} />` },
    { label: t("column.fpa"), cell: (/** @type {RecentTicket} */ one) => dayAndHour(one.current_fpa), number: true },
    { label: t("column.created"), cell: (/** @type {RecentTicket} */ one) => dayAndHour(one.created_at), number: true },
    { label: t("column.createdBy"), cell: (/** @type {RecentTicket} */ one) => one.created_by },
  ];
  return html`
    <section class="panel">
      <h2>${t("recent.title")}</h2>
      <${Table} caption=${t("recent.title")} columns=${columns} rows=${tickets} id=${(/** @type {RecentTicket} */ one) => one.id} />
    </section>
  `;
}
