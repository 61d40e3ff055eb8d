/** Search, filters and order of the list of tickets. */

import { html } from "../../html.js";
import { ChoiceFilter, DateFilter, Filters, SearchFilter } from "../../parts/filters.js";
import { SurgeryFilter } from "../../parts/surgeries.js";
import { setQuery } from "../../shell/router.js";
import { t } from "../../shell/text.js";
import { SORTS, STATES } from "./asked.js";

/** @param {{filters: Record<string, string | null>, sort: string | null}} props */
export function TicketFilters({ filters, sort }) {
  const states = STATES.map((one) => ({ value: one, label: t(`state.${one}`) }));
  const sorts = SORTS.map((one) => ({ value: one, label: t(`sort.${one}`) }));
  const mine = (/** @type {any} */ event) => setQuery({ mine: event.target.checked ? "true" : null });
  return html`
    <${Filters} values=${filters} first=${html`<${SearchFilter} value=${filters.q ?? ""} within=${t("filter.searchIn")} />`}>
      <${ChoiceFilter} name="state" label=${t("column.state")} value=${filters.state ?? null} options=${states} every=${t("filter.everyState")} />
      <${SurgeryFilter} value=${filters.surgery_id ?? null} />
      <${DateFilter} name="date_from" label=${t("filter.from")} value=${filters.date_from ?? null} max=${filters.date_to} />
      <${DateFilter} name="date_to" label=${t("filter.to")} value=${filters.date_to ?? null} min=${filters.date_from} />
      <${ChoiceFilter} name="sort" label=${t("filter.sort")} value=${sort ?? SORTS[0]} options=${sorts} />
      <label class="check"><input type="checkbox" name="mine" checked=${Boolean(filters.mine)} onChange=${mine} />${t("filter.mine")}</label>
    </${Filters}>
  `;
}
