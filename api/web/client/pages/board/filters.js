/** The board's filters. Another one is a name in `FILTERS` of state.js and a field here. */

import { html, useEffect, useMemo } from "../../html.js";
import { Field } from "../../parts/form.js";
import { get } from "../../service/api.js";
import { live } from "../../service/live.js";
import { chosenClinic } from "../../service/session.js";
import { t } from "../../shell/text.js";
import { FILTERS } from "./state.js";

/** @typedef {import("../../parts/form.js").Given} Given */
/** @typedef {{value: string | number, label: string}} Option */

/** @param {{board: import("./state.js").Board}} props */
export function Filters({ board }) {
  const catalogs = useMemo(() => {
    const query = () => ({ clinic_id: chosenClinic.value });
    return {
      surgery_id: live(["catalogs"], (sent) => get("/v1/surgeries", { ...sent, query: query() })),
      doctor_id: live(["catalogs"], (sent) => get("/v1/doctors", { ...sent, query: query() })),
      specialty_id: live(["catalogs"], (sent) => get("/v1/specialties", { ...sent, query: query() })),
    };
  }, []);
  useEffect(() => () => Object.values(catalogs).forEach((one) => one.stop()), []);
  const locations = (board.it.answer.value?.body.locations ?? []).map((one) => ({ value: one, label: one }));
  const set = FILTERS.some((name) => board.question.value[name]);
  return html`
    <div class="filters">
      <${Choice} board=${board} name="location" options=${locations} />
      ${Object.entries(catalogs).map(([name, of]) => {
        const items = of.answer.value?.body.items ?? [];
        return html`<${Choice} key=${name} board=${board} name=${name} options=${items.map((one) => ({ value: one.id, label: one.name }))} />`;
      })}
      ${FILTERS.filter((name) => name.endsWith("_from") || name.endsWith("_to")).map(
        (name) => html`
          <${Field} key=${name} name=${name} label=${t(`filter.${name}`)}>
            ${(/** @type {Given} */ { id }) => html`
              <input id=${id} type="date" value=${board.question.value[name] ?? ""} onChange=${(/** @type {any} */ event) => board.ask({ [name]: event.target.value })} />
            `}
          </${Field}>
        `,
      )}
      ${set
        ? html`<button type="button" onClick=${() => board.ask(Object.fromEntries(FILTERS.map((name) => [name, null])))}>${t("board.clear")}</button>`
        : null}
    </div>
  `;
}

/** @param {{board: import("./state.js").Board, name: "location" | "surgery_id" | "doctor_id" | "specialty_id", options: Option[]}} props */
function Choice({ board, name, options }) {
  const value = board.question.value[name] ?? "";
  // What is chosen stays in the list, also where the other filters leave nothing of it.
  const all = value && !options.some((one) => String(one.value) === value) ? [{ value, label: value }, ...options] : options;
  return html`
    <${Field} name=${name} label=${t(`filter.${name}`)}>
      ${(/** @type {Given} */ { id }) => html`
        <select id=${id} value=${value} onChange=${(/** @type {any} */ event) => board.ask({ [name]: event.target.value })}>
          <option value="">${t("board.any")}</option>
          ${all.map((one) => html`<option key=${one.value} value=${one.value}>${one.label}</option>`)}
        </select>
      `}
    </${Field}>
  `;
}
