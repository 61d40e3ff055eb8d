/** The morning's meeting: who is ready and why still here, who leaves today, who is late, who is forgotten; on one printed page. */

import { html, useEffect, useMemo, useSignal } from "../html.js";
import { Icon } from "../parts/icon.js";
import { Loaded } from "../parts/states.js";
import { get } from "../service/api.js";
import { live } from "../service/live.js";
import { chosenClinic, clinics, session, zoneOf } from "../service/session.js";
import { dateOf, day, dayAndHour, hour, hourOf } from "../service/times.js";
import { setQuery } from "../shell/router.js";
import { t } from "../shell/text.js";
import { listedName, placeOf } from "../tickets/words.js";

/** @typedef {import("../tickets/words.js").Ticket} Ticket */
/** @typedef {{ready: Ticket[], today: Ticket[], late: Ticket[], forgotten: Ticket[], forgottenTotal: number, locations: string[], at: number}} Handed */
/** @typedef {"ready" | "today" | "late"} Part */

/** @type {Record<Part, import("../shell/text.js").Key>} */
const TITLES = { ready: "handover.ready", today: "handover.today", late: "handover.lateList" };
/** Forgotten ones that are named; of more it is said how many there are. */
const NAMED = 24;
const MOST = 500;

/** @param {{query: URLSearchParams}} props */
export function HandoverPage({ query }) {
  const location = query.get("location");
  const clinic = chosenClinic.value;
  const handed = useMemo(() => live(["tickets"], (sent) => read(sent, clinic, location)), [clinic, location]);
  useEffect(() => handed.stop, [handed]);
  return html`
    <div class="page handover">
      <${Loaded} of=${handed}>
        ${(/** @type {Handed} */ body) => html`<${Meeting} handed=${body} location=${location} />`}
      </${Loaded}>
    </div>
  `;
}

/** @param {{signal: AbortSignal, versions: string | null}} sent @param {number | null} clinic_id @param {string | null} location */
async function read(sent, clinic_id, location) {
  const today = dateOf(Date.now(), zoneOf());
  const of = (/** @type {"active" | "overdue" | "ready" | "forgotten"} */ view, /** @type {object} */ more) =>
    get("/v1/nursing-board", { ...sent, query: { clinic_id, location, sort: /** @type {const} */ ("bed"), view, ...more } });
  const answers = await Promise.all([
    of("active", { fpa_to: today, limit: MOST }),
    of("overdue", { limit: MOST }),
    of("ready", { limit: MOST }),
    of("forgotten", { limit: NAMED }),
  ]);
  const [due, late, ready, forgotten] = /** @type {import("../service/api.js").Schemas["NursingBoard"][]} */ (answers.map((one) => one.body));
  if (!due || !late || !ready || !forgotten) throw new TypeError("four answers");
  const isLate = (/** @type {Ticket} */ one) => one.current_fpa.slice(0, 10) < today;
  const waiting = late.items.filter((one) => !one.ready);
  const stillHere = ready.items.filter((one) => !forgotten.items.some((other) => other.id === one.id));
  /** @type {Handed} */
  const body = {
    ready: stillHere,
    today: [...due.items.filter((one) => !one.ready), ...waiting.filter((one) => !isLate(one))],
    late: waiting.filter(isLate),
    forgotten: forgotten.items,
    forgottenTotal: forgotten.total ?? forgotten.items.length,
    locations: due.locations.concat(late.locations, ready.locations, forgotten.locations),
    at: Date.now(),
  };
  return { .../** @type {import("../service/api.js").Answer<any>} */ (answers[0]), stale: answers.some((one) => one.stale), at: Math.min(...answers.map((one) => one.at)), body };
}

/** @param {{handed: Handed, location: string | null}} props */
function Meeting({ handed, location }) {
  const clinic = clinics.value.find((one) => one.id === (session.value?.user.clinic_id ?? chosenClinic.value));
  const zone = zoneOf();
  const dueToday = handed.ready.length + handed.today.length;
  return html`
    <header class="page-head">
      <div>
        <h1>${t("handover.title")} · ${day(dateOf(handed.at, zone) + "T12:00")}</h1>
        <p>${[clinic?.name ?? t("frame.network"), location, t("handover.at", { hour: hourOf(handed.at, zone) })].filter(Boolean).join(" · ")}</p>
      </div>
      <div class="actions">
        <${Locations} all=${handed.locations} chosen=${location} />
        <button type="button" class="primary" onClick=${() => print()}><${Icon} name="print" />${t("handover.print")}</button>
      </div>
    </header>
    <p class="sum">${t("handover.beds", { n: dueToday })} ${t("handover.readyNow", { n: handed.ready.length })} ${t("handover.late", { n: handed.late.length })}</p>
    <${List} part="ready" rows=${handed.ready} />
    <${List} part="today" rows=${handed.today} />
    <${List} part="late" rows=${handed.late} />
    ${handed.forgottenTotal ? html`<${Forgotten} tickets=${handed.forgotten} total=${handed.forgottenTotal} />` : null}
  `;
}

/** @param {{all: string[], chosen: string | null}} props */
function Locations({ all, chosen }) {
  const known = useSignal(/** @type {string[]} */ ([]));
  useEffect(() => {
    if (chosen === null) known.value = [...new Set(all)].sort();
  }, [all, chosen]);
  const names = known.value.length ? known.value : [...new Set([...(chosen ? [chosen] : []), ...all])];
  return html`
    <select aria-label=${t("ticket.location")} value=${chosen ?? ""} onChange=${(/** @type {any} */ event) => setQuery({ location: event.target.value || null })}>
      <option value="">${t("handover.everywhere")}</option>
      ${names.map((one) => html`<option key=${one} value=${one}>${one}</option>`)}
    </select>
  `;
}

/** @param {{part: Part, rows: Ticket[]}} props */
function List({ part, rows }) {
  const columns = COLUMNS.filter((one) => part === "ready" || one.label !== "ticket.ready");
  return html`
    <section class="handed" data-part=${part}>
      <h2>${t(TITLES[part])} <span>${rows.length}</span></h2>
      ${rows.length
        ? html`
            <table>
              <caption class="for-ears">${t(TITLES[part])}</caption>
              <thead>
                <tr>${columns.map((one) => html`<th key=${one.label} scope="col">${t(one.label)}</th>`)}<th scope="col" class="notes">${t("handover.notes")}</th></tr>
              </thead>
              <tbody>
                ${rows.map((row) => html`<tr key=${row.id}>${columns.map((one) => html`<${Cell} key=${one.label} label=${one.label} value=${one.cell(row)} />`)}<td class="notes"></td></tr>`)}
              </tbody>
            </table>
          `
        : html`<p class="hint">${t("handover.nobody")}</p>`}
    </section>
  `;
}

/** @param {{label: import("../shell/text.js").Key, value: any}} props  What is not there takes no room on a phone. */
function Cell({ label, value }) {
  return html`<td data-label=${t(label)} data-empty=${value ? undefined : ""}>${value || "–"}</td>`;
}

/** @type {{label: import("../shell/text.js").Key, cell: (ticket: Ticket) => any}[]} */
const COLUMNS = [
  { label: "handover.bed", cell: (one) => html`<strong>${placeOf(one)}</strong>` },
  { label: "ticket.patient", cell: (one) => html`<a href=${`/tickets/${one.id}`}>${listedName(one.patient)}</a>` },
  { label: "ticket.surgery", cell: (one) => [one.surgery.name, one.doctor?.name].filter(Boolean).join(", ") },
  { label: "ticket.fpa", cell: (one) => dayAndHour(one.current_fpa) },
  { label: "ticket.ready", cell: (one) => one.ready && dayAndHour(one.ready.at) },
  { label: "ticket.delays", cell: (one) => one.delays.map((delay) => [delay.reason, delay.note].filter(Boolean).join(": ")).join("; ") },
];

/** @param {{tickets: Ticket[], total: number}} props */
function Forgotten({ tickets, total }) {
  return html`
    <section class="handed" data-part="forgotten">
      <h2>${t("handover.forgotten")} <span>${total}</span></h2>
      <ul class="few">
        ${tickets.map((one) => html`<li key=${one.id}><a href=${`/tickets/${one.id}`}>${listedName(one.patient)}</a> ${placeOf(one)}, ${t("ticket.fpa")} ${day(one.current_fpa)} ${hour(one.current_fpa)}</li>`)}
        ${total > tickets.length ? html`<li><em>${t("handover.more", { n: total - tickets.length })}</em></li>` : null}
      </ul>
    </section>
  `;
}
