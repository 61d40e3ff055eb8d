/** A page of tickets as a table, on a phone as cards. */

import { html } from "../../html.js";
import { Table } from "../../parts/table.js";
import { chosenClinic, clinicName, may } from "../../service/session.js";
import { dayAndHour, dayOfBlock } from "../../service/times.js";
import { t } from "../../shell/text.js";
import { StateMark } from "../../tickets/state-mark.js";
import { listedName, placeOf } from "../../tickets/words.js";

/** @typedef {import("../../service/api.js").Schemas["TicketSummary"]} Ticket */

/** @param {{tickets: Ticket[]}} props */
export function TicketTable({ tickets }) {
  const ofNetwork = may("superuser") && chosenClinic.value === null;
  const columns = [
    { label: t("column.id"), cell: (/** @type {Ticket} */ one) => html`<a class="whole" href=${`/tickets/${one.id}`}>${one.id}</a>` },
    ...(ofNetwork ? [{ label: t("column.clinic"), cell: (/** @type {Ticket} */ one) => clinicName(one.clinic_id) }] : []),
    { label: t("column.patient"), cell: patientCell },
    { label: t("column.surgery"), cell: surgeryCell },
    { label: t("column.state"), cell: stateCell },
    { label: t("column.fpa"), cell: fpaCell },
    { label: t("column.bed"), cell: bedCell },
    { label: t("column.created"), cell: (/** @type {Ticket} */ one) => two(dayAndHour(one.created_at), one.created_by) },
  ];
  return html`<${Table} caption=${t("tickets.title")} columns=${columns} rows=${tickets} id=${(/** @type {Ticket} */ one) => one.id} />`;
}

/** @param {any} main @param {any} more */
const two = (main, more) => html`<span class="two-lines">${main}${more ? html`<small>${more}</small>` : null}</span>`;

/** @param {Ticket} one */
function patientCell({ patient }) {
  return two(listedName(patient), patient?.document);
}

/** @param {Ticket} one */
function surgeryCell({ surgery, doctor }) {
  return two(surgery.name, doctor?.name);
}

/** @param {Ticket} one */
function stateCell(one) {
  const { ready, delays, status } = one;
  const notes = [
    status === "active" && ready ? t("column.ready") : "",
    ...delays.map((delay) => delay.reason),
  ].filter(Boolean);
  return two(html`<${StateMark} of=${one} />`, notes.join(" · "));
}

/** @param {Ticket} one */
function fpaCell({ current_fpa, block, discharged_at, modifications }) {
  const due = html`<span><span class="whole">${dayOfBlock(current_fpa)},</span> <span class="whole">${block.label}</span></span>`;
  const when = two(due, modifications.length ? t("column.modified", { n: modifications.length }) : null);
  return discharged_at ? two(html`<span class="whole">${dayAndHour(discharged_at)}</span>`, t("column.fpaWas", { when: dayAndHour(current_fpa) })) : when;
}

/** @param {Ticket} one */
function bedCell(one) {
  return two(placeOf(one), one.episode_id);
}
