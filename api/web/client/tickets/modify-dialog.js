/** Another FPA, by its block: today's and tomorrow's first, every other day by its date. */

import { html, useEffect, useMemo, useSignal } from "../html.js";
import { Dialog } from "../parts/dialog.js";
import { Form } from "../parts/form.js";
import { Loaded } from "../parts/states.js";
import { get } from "../service/api.js";
import { live } from "../service/live.js";
import { zoneOf } from "../service/session.js";
import { dateOf, day, dayAndHour, daysAfter, hourOf } from "../service/times.js";
import { t } from "../shell/text.js";
import { useReasons } from "./catalogs.js";
import { quietly } from "./change.js";
import { LongField, ReasonField, reasonOf } from "./dialogs.js";
import { modifyFpa } from "./verbs.js";
import { blockOf, listedName } from "./words.js";

/** @param {import("./dialogs.js").Props} props */
export function ModifyDialog({ ticket, close }) {
  const zone = zoneOf(ticket.clinic_id);
  const today = dateOf(Date.now(), zone);
  const date = useSignal(today);
  const ends = useSignal("");
  const reason = useSignal("");
  const justification = useSignal("");
  const reasons = useReasons("modification", ticket.clinic_id);
  const blocks = useMemo(() => live(["clinics"], (sent) => get("/v1/discharge-blocks", sent)), []);
  useEffect(() => blocks.stop, []);
  const submit = () => {
    const [onDate = date.value, hour = ""] = ends.value.split(" ");
    const block = { date: onDate, hour: /** @type {number} */ (hour === "" ? null : Number(hour)), told: dayAndHour(`${onDate}T${hour.padStart(2, "0")}:00`) };
    return quietly(modifyFpa(ticket, block, reasonOf(reasons, reason.value), justification.value.trim() || null).then(close));
  };
  return html`
    <${Dialog} title=${t("verb.modify")} wide close=${close}>
      <${Form} action=${t("verb.modify")} cancel=${close} submit=${submit}>
        <p>${listedName(ticket.patient)}: ${t("modify.now", { block: blockOf(ticket) })}</p>
        <div class="choice" role="group" aria-label=${t("modify.day")}>
          ${[today, daysAfter(today, 1), daysAfter(today, 2)].map(
            (one, at) => html`
              <button key=${one} type="button" aria-pressed=${one === date.value} onClick=${() => (date.value = one)}>
                ${at === 0 ? t("modify.today") : at === 1 ? t("modify.tomorrow") : day(`${one}T12:00`)}
              </button>
            `,
          )}
          <input type="date" name="date" aria-label=${t("modify.otherDay")} min=${ticket.admission_at.slice(0, 10)} value=${date.value} onInput=${(/** @type {any} */ event) => (date.value = event.target.value || today)} />
        </div>
        <${Loaded} of=${blocks}>
          ${(/** @type {any} */ { items }) => html`<${Blocks} ticket=${ticket} date=${date.value} blocks=${items} chosen=${ends} now=${{ date: today, hour: hourOf(Date.now(), zone) }} />`}
        </${Loaded}>
        <${ReasonField} reasons=${reasons} value=${reason} />
        <${LongField} name="justification" label=${t("modification.justification")} value=${justification} />
      </${Form}>
    </${Dialog}>
  `;
}

/**
 * The 24 of a day, but those that are over, in the order of the day: the one that ends at midnight comes last, and is the API's hour 0 of the next date.
 * @param {{ticket: import("./words.js").Ticket, date: string, blocks: import("../service/api.js").Schemas["BlockView"][],
 *   chosen: import("../html.js").Signal<string>, now: {date: string, hour: string}}} props
 */
function Blocks({ ticket, date, blocks, chosen, now }) {
  const ordered = [...blocks.filter((one) => one.end_hour > 0), ...blocks.filter((one) => one.end_hour === 0)];
  return html`
    <fieldset class="blocks">
      <legend class="for-ears">${t("modify.block", { day: day(`${date}T12:00`) })}</legend>
      ${ordered.map((one) => {
        const onDate = one.end_hour ? date : daysAfter(date, 1);
        const value = `${onDate} ${one.end_hour}`;
        const local = `${onDate}T${String(one.end_hour).padStart(2, "0")}:00`;
        if (local <= `${now.date}T${now.hour}` || local < ticket.admission_at.slice(0, 16)) return null;
        const isCurrent = ticket.current_fpa.slice(0, 16) === local;
        return html`
          <label key=${one.end_hour} data-current=${isCurrent || undefined}>
            <input type="radio" name="block" value=${value} disabled=${isCurrent} checked=${chosen.value === value} onChange=${() => (chosen.value = value)} />
            <span>${one.label}${isCurrent ? html`<small>${t("modify.current")}</small>` : null}</span>
          </label>
        `;
      })}
    </fieldset>
  `;
}
