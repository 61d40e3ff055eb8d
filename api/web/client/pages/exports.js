/** Tickets as a file: which ones, of which period, in which format; and for superusers every table. */

import { html, signal, useEffect, useMemo, useSignal } from "../html.js";
import { Icon } from "../parts/icon.js";
import { Form, SelectField, TextField } from "../parts/form.js";
import { get } from "../service/api.js";
import { download } from "../service/download.js";
import { live } from "../service/live.js";
import { chosenClinic, clinics, may, zoneOf } from "../service/session.js";
import { dateOf, daysAfter } from "../service/times.js";
import { language, t, told } from "../shell/text.js";
import { useCatalogs } from "../tickets/catalogs.js";

/** @typedef {ReturnType<typeof nothingChosen>} Chosen */

const STATUSES = /** @type {const} */ (["active", "discharged", "annulled"]);
const FORMATS = /** @type {const} */ (["xlsx", "excel", "programs"]);
const PERIODS = /** @type {const} */ (["all", "today", "week", "month"]);

function nothingChosen() {
  return {
    status: signal(""),
    surgery_id: signal(""),
    q: signal(""),
    date_from: signal(""),
    date_to: signal(""),
    mine: signal(false),
    format: signal("xlsx"),
    lang: signal(language.peek() === "en" ? "en" : "es"),
  };
}

export function ExportsPage() {
  const chosen = useMemo(nothingChosen, []);
  return html`
    <div class="page narrow">
      <header class="page-head">
        <div><h1>${t("exports.title")}</h1><p>${t("exports.audited")}</p></div>
      </header>
      <section class="panel"><${TicketsFile} chosen=${chosen} /></section>
      ${may("superuser") ? html`<section class="panel"><${FullFile} /></section>` : null}
    </div>
  `;
}

/** @param {Chosen} chosen */
function filtersOf(chosen) {
  return {
    clinic_id: chosenClinic.value,
    status: /** @type {any} */ (chosen.status.value || null),
    surgery_id: Number(chosen.surgery_id.value) || null,
    q: chosen.q.value.trim() || null,
    date_from: chosen.date_from.value || null,
    date_to: chosen.date_to.value || null,
    created_by_me: chosen.mine.value || undefined,
  };
}

/** @param {{chosen: Chosen}} props */
function TicketsFile({ chosen }) {
  const catalogs = useCatalogs(chosenClinic.value);
  const surgeries = catalogs.answer.value?.body.surgeries ?? [];
  const submit = () => {
    const format = chosen.format.value;
    const lang = chosen.lang.value;
    const query = { ...filtersOf(chosen), ...(format === "programs" ? {} : { lang }), ...(format === "excel" ? { dialect: "excel" } : {}) };
    return download(format === "xlsx" ? "/v1/exports/tickets.xlsx" : "/v1/exports/tickets.csv", query);
  };
  return html`
    <h2>${t("exports.tickets")}</h2>
    <${Form} action=${t("exports.download")} submit=${submit}>
      <${Periods} chosen=${chosen} />
      <div class="fields">
        <${TextField} name="date_from" type="date" label=${t("exports.from")} value=${chosen.date_from} />
        <${TextField} name="date_to" type="date" label=${t("exports.to")} value=${chosen.date_to} />
        <${SelectField} name="status" label=${t("ticket.status")} value=${chosen.status} options=${[{ value: "", label: t("exports.everyStatus") }, ...STATUSES.map((one) => ({ value: one, label: told("status", one) }))]} />
        <${SelectField} name="surgery_id" label=${t("ticket.surgery")} value=${chosen.surgery_id} options=${[{ value: "", label: t("exports.everySurgery") }, ...surgeries.map((one) => ({ value: String(one.id), label: one.name }))]} />
        <${TextField} name="q" label=${t("exports.search")} value=${chosen.q} maxlength=${200} />
      </div>
      <label class="checked"><input type="checkbox" name="created_by_me" checked=${chosen.mine.value} onChange=${(/** @type {any} */ event) => (chosen.mine.value = event.target.checked)} />${t("exports.mine")}</label>
      <div class="fields">
        <${SelectField} name="format" label=${t("exports.format")} hint=${t(/** @type {any} */ (`exports.formatHint.${chosen.format.value}`))} value=${chosen.format} options=${FORMATS.map((one) => ({ value: one, label: t(`exports.format.${one}`) }))} />
        ${chosen.format.value === "programs"
          ? null
          : html`<${SelectField} name="lang" label=${t("account.language")} value=${chosen.lang} options=${[{ value: "es", label: t("language.es-CL") }, { value: "en", label: t("language.en") }]} />`}
      </div>
      <${HowMany} chosen=${chosen} />
      ${may("clinical") ? null : html`<p class="hint">${t("exports.viewer")}</p>`}
    </${Form}>
  `;
}

/** @param {{chosen: Chosen}} props */
function Periods({ chosen }) {
  const today = dateOf(Date.now(), zoneOf());
  const begins = { all: "", today, week: daysAfter(today, -6), month: `${today.slice(0, 8)}01` };
  const choose = (/** @type {keyof typeof begins} */ one) => {
    chosen.date_from.value = begins[one];
    chosen.date_to.value = one === "all" ? "" : today;
  };
  return html`
    <div class="choice" role="group" aria-label=${t("exports.period")}>
      ${PERIODS.map((one) => {
        const is = chosen.date_from.value === begins[one] && chosen.date_to.value === (one === "all" ? "" : today);
        return html`<button key=${one} type="button" aria-pressed=${is} onClick=${() => choose(one)}>${t(`exports.period.${one}`)}</button>`;
      })}
    </div>
  `;
}

/** How many tickets will stand in the file. @param {{chosen: Chosen}} props */
function HowMany({ chosen }) {
  const listed = useMemo(
    () => live(["tickets"], (sent) => get("/v1/tickets", { ...sent, query: { ...filtersOf(chosen), limit: 1 } })),
    [],
  );
  useEffect(() => listed.stop, []);
  const body = listed.answer.value?.body;
  if (!body) return null;
  const number = new Intl.NumberFormat(language.value).format(body.total ?? 0);
  return html`<p role="status"><strong>${t(body.total_more ? "exports.countMore" : "exports.count", { n: body.total ?? 0, number })}</strong></p>`;
}

/** Every table, of the clinic that is looked at or of the network. */
function FullFile() {
  const chosen = clinics.value.find((one) => one.id === chosenClinic.value);
  const busy = useSignal(false);
  const submit = async () => {
    busy.value = true;
    await download("/v1/exports/full.zip", { clinic_id: chosenClinic.value }).finally(() => (busy.value = false));
  };
  return html`
    <h2>${t("exports.full")}</h2>
    <${Form} action=${t("exports.downloadFull")} submit=${submit}>
      <p>${t("exports.fullText", { clinic: chosen?.name ?? t("frame.network") })}</p>
      ${busy.value ? html`<p role="status"><${Icon} name="wait" />${t("exports.made")}</p>` : null}
    </${Form}>
  `;
}
