/** What surgery it is, whose, and when; with the FPA that follows from it, as it is typed. */

import { html, signal, useEffect, useSignal } from "../html.js";
import { SelectField, TextField } from "../parts/form.js";
import { Problem, write } from "../service/api.js";
import { fieldTexts, problemText } from "../service/problems.js";
import { dayAndHour, dayOfBlock } from "../service/times.js";
import { t } from "../shell/text.js";

/** @typedef {import("../service/api.js").Schemas["FpaPreview"]} Preview */
/** @typedef {{surgery_id: import("../html.js").Signal<string>, doctor_id: import("../html.js").Signal<string>,
 *   surgery_at: import("../html.js").Signal<string>}} Typed  `surgery_at` as an input of dates has it, in the clinic's zone. */
/** @typedef {{surgeries: import("../service/api.js").Schemas["SurgeryItem"][], doctors: import("../service/api.js").Schemas["DoctorItem"][]}} Catalogs */

/** @param {import("./words.js").Ticket} [ticket] @returns {Typed} */
export function typedSurgery(ticket) {
  return {
    surgery_id: signal(String(ticket?.surgery.id ?? "")),
    doctor_id: signal(String(ticket?.doctor?.id ?? "")),
    surgery_at: signal(ticket?.surgery_at.slice(0, 16) ?? ""),
  };
}

/** @param {Typed} typed */
export function surgeryBody({ surgery_id, doctor_id, surgery_at }) {
  return {
    surgery_id: Number(surgery_id.value) || null,
    doctor_id: Number(doctor_id.value) || null,
    surgery_at: surgery_at.value || null,
  };
}

/** @param {{typed: Typed, catalogs: Catalogs, clinic: number | null, preview?: boolean}} props */
export function SurgeryFields({ typed, catalogs, clinic, preview = true }) {
  const surgeries = catalogs.surgeries.map((one) => ({ value: String(one.id), label: t("surgery.option", { name: one.name, n: one.base_stay_hours }) }));
  const doctors = catalogs.doctors.map((one) => ({ value: String(one.id), label: one.name }));
  return html`
    <div class="fields">
      <${SelectField} name="surgery_id" label=${t("ticket.surgery")} value=${typed.surgery_id} options=${[{ value: "", label: t("surgery.choose") }, ...surgeries]} />
      <${TextField} name="surgery_at" type="datetime-local" label=${t("ticket.surgery_at")} hint=${t("surgery.local")} value=${typed.surgery_at} />
      <${SelectField} name="doctor_id" label=${t("ticket.doctor")} value=${typed.doctor_id} options=${[{ value: "", label: t("surgery.noDoctor") }, ...doctors]} />
    </div>
    ${preview ? html`<${FpaPreview} typed=${typed} clinic=${clinic} />` : null}
  `;
}

/** Milliseconds without a change, for who types a date goes through others. */
const STILL_FOR = 250;

/** @param {{typed: Typed, clinic: number | null}} props */
function FpaPreview({ typed, clinic }) {
  const { surgery_id, surgery_at } = surgeryBody(typed);
  const shown = useSignal(/** @type {{preview: Preview | null, error: unknown} | null} */ (null));
  useEffect(() => {
    if (!surgery_id || !surgery_at) {
      shown.value = null;
      return undefined;
    }
    const stop = new AbortController();
    const timer = setTimeout(() => {
      write("post", "/v1/fpa/preview", { body: { clinic_id: clinic, surgery_id, surgery_at }, signal: stop.signal, once: true }).then(
        ({ body }) => (shown.value = { preview: body, error: null }),
        (error) => {
          if (!stop.signal.aborted) shown.value = { preview: null, error };
        },
      );
    }, STILL_FOR);
    return () => {
      clearTimeout(timer);
      stop.abort();
    };
  }, [surgery_id, surgery_at, clinic]);
  if (!shown.value) return null;
  const { preview, error } = shown.value;
  if (error) return html`<${Unlikely} error=${error} typed=${typed} />`;
  if (!preview) return null;
  return html`
    <dl class="preview" role="status">
      <div><dt>${t("ticket.admission")}</dt><dd>${dayAndHour(preview.admission_at)}</dd></div>
      <div class="first"><dt>${t("ticket.fpa")}</dt><dd>${dayOfBlock(preview.fpa)}, ${preview.block.label}</dd></div>
      <div><dt>${t("ticket.nights")}</dt><dd>${preview.overnight_stays}</dd></div>
    </dl>
  `;
}

/** A date that cannot be meant is asked about: mostly it is a year that was mistyped. @param {{error: unknown, typed: Typed}} props */
function Unlikely({ error, typed }) {
  if (!(error instanceof Problem) || !/implausible_time/.test(error.code + error.errors.map((one) => one.code))) {
    const [told] = Object.values(fieldTexts(error));
    return html`<p class="notice" role="status">${told ?? problemText(error)}</p>`;
  }
  const meant = nearest(typed.surgery_at.value);
  return html`
    <div class="notice asked" role="status">
      <p>${t("surgery.unlikely", { day: dayAndHour(typed.surgery_at.value), year: typed.surgery_at.value.slice(0, 4) })}</p>
      ${meant
        ? html`<button type="button" onClick=${() => (typed.surgery_at.value = meant)}>${t("surgery.meant", { day: dayAndHour(meant), year: meant.slice(0, 4) })}</button>`
        : null}
    </div>
  `;
}

/** The same day and hour of this year, or of the one beside it that is nearer; null where it is none of these.
 * @param {string} typed */
function nearest(typed) {
  const year = new Date().getFullYear();
  const [, rest] = /^\d+(-\d\d-\d\dT.*)$/.exec(typed) ?? [];
  const years = [year - 1, year, year + 1].map((one) => `${one}${rest}`);
  const away = (/** @type {string} */ one) => Math.abs(Date.parse(one) - Date.now());
  const [best] = years.filter((one) => rest && one !== typed && !Number.isNaN(Date.parse(one))).sort((a, b) => away(a) - away(b));
  return best && away(best) < 30 * 24 * 3600_000 * 6 ? best : null;
}
