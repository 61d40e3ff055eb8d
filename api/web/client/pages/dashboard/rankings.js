/** What stands out: why patients are still here, which surgeries there are most of, whose FPA is modified most often. */

import { html } from "../../html.js";
import { count, hours, ratio } from "../../service/numbers.js";
import { may, clinicName } from "../../service/session.js";
import { t } from "../../shell/text.js";
import { listOf } from "./figures.js";

/** @typedef {{body: import("./figures.js").Dashboard, filters: import("./figures.js").Filters}} Given */
/** @typedef {{id: string, name: string, clinic: number, number: any, more?: any}} Row */

/** @param {Given} props */
export function Rankings({ body, filters }) {
  return html`
    <div class="rankings">
      <${Delays} body=${body} filters=${filters} />
      <${Surgeries} body=${body} filters=${filters} />
      <${Doctors} body=${body} filters=${filters} />
    </div>
  `;
}

/** @param {Given} props */
function Delays({ body, filters }) {
  const rows = body.flow.delays.map((one) => {
    const of = (/** @type {string} */ figure) => listOf(filters, { figure, reason_id: one.reason_id });
    return {
      id: `${one.clinic_id}/${one.reason_id}`,
      name: one.reason,
      clinic: one.clinic_id,
      number: html`<a data-figure="delays" class=${one.tickets ? "" : "zero"} href=${of("delays")}>${t("lost.tickets", { n: one.tickets })}</a>`,
      more: html`<a data-figure="hours_lost" href=${of("hours_lost")}>${t("lost.lost", { hours: hours(one.hours_lost) })}</a>`,
    };
  });
  return html`<${Ranking} title=${t("lost.title")} text=${t("lost.text")} none=${t("lost.none")} rows=${rows} />`;
}

/** @param {Given} props */
function Surgeries({ body, filters }) {
  const rows = body.top_surgeries.map((one) => ({
    id: String(one.surgery_id),
    name: one.name,
    clinic: one.clinic_id,
    number: html`
      <a data-figure="surgery" href=${listOf({ ...filters, surgery_id: String(one.surgery_id) }, {})}>${count(one.tickets)}</a>
    `,
  }));
  return html`<${Ranking} title=${t("surgeries.title")} text=${t("surgeries.text")} none=${t("surgeries.none")} rows=${rows} />`;
}

/** @param {Given} props */
function Doctors({ body, filters }) {
  const { total, per_ticket } = body.modifications;
  const rows = body.doctors_by_modifications.map((one) => ({
    id: String(one.doctor_id),
    name: one.name,
    clinic: one.clinic_id,
    number: html`
      <a data-figure="doctor" href=${listOf(filters, { figure: "modified", doctor_id: one.doctor_id })}>${count(one.modifications)}</a>
    `,
  }));
  const text = t("doctors.text", { total: count(total), each: ratio(per_ticket) });
  return html`<${Ranking} title=${t("doctors.title")} text=${text} none=${t("doctors.none")} rows=${rows} />`;
}

/** @param {{title: string, text: string, none: string, rows: Row[]}} props */
function Ranking({ title, text, none, rows }) {
  const several = may("superuser");
  return html`
    <section class="panel ranking">
      <header><h2>${title}</h2><p>${text}</p></header>
      ${rows.length === 0 ? html`<p class="none">${none}</p>` : null}
      <ol>
        ${rows.map(
          (one) => html`
            <li key=${one.id}>
              <span>${one.name}${several ? html`<small>${clinicName(one.clinic)}</small>` : null}</span>
              <span class="numbers">${one.number}${one.more}</span>
            </li>
          `,
        )}
      </ol>
    </section>
  `;
}
