/** Search, filters and order of the list of tickets. */

import { html, useEffect, useRef, useState } from "../../html.js";
import { ChoiceFilter, DateFilter, Filter, Filters } from "../../parts/filters.js";
import { SurgeryFilter } from "../../parts/surgeries.js";
import { setQuery } from "../../shell/router.js";
import { useShortcuts } from "../../shell/shortcuts.js";
import { t } from "../../shell/text.js";
import { SORTS, STATES } from "./asked.js";

/** How long somebody may pause within a word. */
const TYPING = 250;

/** @param {{filters: Record<string, string | null>, sort: string | null}} props */
export function TicketFilters({ filters, sort }) {
  const states = STATES.map((one) => ({ value: one, label: t(`state.${one}`) }));
  const sorts = SORTS.map((one) => ({ value: one, label: t(`ticketSort.${one}`) }));
  const mine = (/** @type {any} */ event) => setQuery({ mine: event.target.checked ? "true" : null });
  return html`
    <${Filters} values=${filters} first=${html`<${Search} value=${filters.q ?? ""} />`}>
      <${ChoiceFilter} name="state" label=${t("column.state")} value=${filters.state ?? null} options=${states} every=${t("filter.everyState")} />
      <${SurgeryFilter} value=${filters.surgery_id ?? null} />
      <${DateFilter} name="date_from" label=${t("filter.from")} value=${filters.date_from ?? null} max=${filters.date_to} />
      <${DateFilter} name="date_to" label=${t("filter.to")} value=${filters.date_to ?? null} min=${filters.date_from} />
      <${ChoiceFilter} name="sort" label=${t("filter.sort")} value=${sort ?? SORTS[0]} options=${sorts} />
      <label class="check"><input type="checkbox" name="mine" checked=${Boolean(filters.mine)} onChange=${mine} />${t("filter.mine")}</label>
    </${Filters}>
  `;
}

/** As you type: asked for when somebody pauses. @param {{value: string}} props */
function Search({ value }) {
  const field = useRef(/** @type {HTMLInputElement | null} */ (null));
  const [typed, setTyped] = useState(value);
  useShortcuts([{ key: "/", does: "keys.search", run: () => field.current?.select() }]);
  useEffect(() => {
    if (typed.trim() === value) return undefined;
    const timer = setTimeout(() => setQuery({ q: typed.trim() }), TYPING);
    return () => clearTimeout(timer);
  }, [typed]);
  useEffect(() => {
    if (typed.trim() !== value) setTyped(value); // the address was changed by something else
  }, [value]);
  const type = (/** @type {any} */ event) => setTyped(event.target.value);
  return html`
    <${Filter} label=${t("filter.search")} grows>
      ${(/** @type {string} */ id) => html`
        <input id=${id} ref=${field} name="q" type="search" maxlength="200" value=${typed} placeholder=${t("filter.searchIn")} onInput=${type} />
      `}
    </${Filter}>
  `;
}
