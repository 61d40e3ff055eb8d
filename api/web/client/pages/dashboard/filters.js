/** By what all figures are filtered: dates of creation, and a surgery. */

import { html } from "../../html.js";
import { DateFilter, Filters } from "../../parts/filters.js";
import { SurgeryFilter } from "../../parts/surgeries.js";
import { t } from "../../shell/text.js";

/** @param {{filters: import("./figures.js").Filters, children?: any}} props */
export function FigureFilters({ filters, children }) {
  return html`
    <${Filters} values=${filters}>
      ${children}
      <${DateFilter} name="date_from" label=${t("filter.from")} value=${filters.date_from} max=${filters.date_to} />
      <${DateFilter} name="date_to" label=${t("filter.to")} value=${filters.date_to} min=${filters.date_from} />
      <${SurgeryFilter} value=${filters.surgery_id} />
    </${Filters}>
  `;
}
