/** One ticket: everything of it, and everything that may be done to it. */

import { html, useEffect, useMemo, useSignal } from "../html.js";
import { Icon } from "../parts/icon.js";
import { Loaded } from "../parts/states.js";
import { get } from "../service/api.js";
import { live } from "../service/live.js";
import { dayAndHour, dayOfBlock } from "../service/times.js";
import { t, told } from "../shell/text.js";
import { colour } from "../tickets/state-mark.js";
import { blockOf, factsOf, nameOf } from "../tickets/words.js";
import { Actions } from "./ticket/actions.js";
import { Delays } from "./ticket/delays.js";
import { History } from "./ticket/history.js";
import { Modifications } from "./ticket/modifications.js";

/** @typedef {import("../tickets/words.js").TicketDetail} Ticket */
/** @typedef {import("../tickets/change.js").Answered} Answered */

/** @param {{params: Record<string, string>}} props */
export function TicketPage({ params }) {
  const id = params.id ?? "";
  const ticket = useMemo(() => live(["tickets"], (sent) => get("/v1/tickets/{ticket_id}", { ...sent, params: { ticket_id: id } })), [id]);
  useEffect(() => ticket.stop, [ticket]);
  /** What was last written here: the next press is of that, and no older reading of it is shown. */
  const written = useSignal(/** @type {Ticket | null} */ (null));
  const changed = (/** @type {Answered} */ answer) => {
    written.value = answer.body;
    ticket.refresh(answer.versions);
  };
  const newest = (/** @type {Ticket} */ read) => (written.value?.id === id && written.value.revision > read.revision ? written.value : read);
  return html`
    <div class="page ticket">
      <${Loaded} of=${ticket}>
        ${(/** @type {Ticket} */ body) => html`<${Whole} ticket=${newest(body)} changed=${changed} />`}
      </${Loaded}>
    </div>
  `;
}

/** @param {{ticket: Ticket, changed: (answer: Answered) => void}} props */
function Whole({ ticket, changed }) {
  const writing = useSignal(false);
  return html`
    <header class="page-head ticket-head">
      <div>
        <p>${ticket.id}</p>
        <h1>${nameOf(ticket.patient)}</h1>
        <p>${factsOf(ticket.patient)}</p>
        ${ticket.patient && !ticket.patient.verified
          ? html`<p class="unverified"><${Icon} name="warning" />${t("patient.unverified")}</p>`
          : null}
      </div>
      <${Due} ticket=${ticket} />
    </header>
    <${Actions} ticket=${ticket} changed=${changed} writing=${writing} />
    <div class="halves">
      <section class="panel">
        <h2>${t("ticket.stay")}</h2>
        <${Facts} rows=${stayOf(ticket)} />
      </section>
      <section class="panel">
        <h2>${t("ticket.leaving")}</h2>
        <${Facts} rows=${leavingOf(ticket)} />
        <${Delays} ticket=${ticket} changed=${changed} writing=${writing} />
      </section>
    </div>
    <${Modifications} ticket=${ticket} />
    <${History} ticket=${ticket} />
  `;
}

/** What matters first: when the patient is due to leave, or what became of it. @param {{ticket: Ticket}} props */
function Due({ ticket }) {
  return html`
    <div class="due" data-state=${colour(ticket)}>
      <strong>${told("state", ticket.state)}</strong>
      <span class="until">${ticket.block.label}</span>
      <span>${dayOfBlock(ticket.current_fpa)}</span>
    </div>
  `;
}

/** @param {{rows: [import("../shell/text.js").Key, any][]}} props */
function Facts({ rows }) {
  return html`<dl class="pairs">${rows.map(([name, value]) => html`<div key=${name}><dt>${t(name)}</dt><dd>${value ?? "–"}</dd></div>`)}</dl>`;
}

/** @param {Ticket} ticket @returns {[import("../shell/text.js").Key, any][]} */
function stayOf(ticket) {
  return [
    ["ticket.bed_number", ticket.bed_number],
    ["ticket.location", ticket.location],
    ["ticket.episode_id", ticket.episode_id],
    ["ticket.surgery", t("surgery.option", { name: ticket.surgery.name, n: ticket.surgery.base_stay_hours })],
    ["ticket.doctor", ticket.doctor?.name],
    ["ticket.surgery_at", dayAndHour(ticket.surgery_at)],
    ["ticket.admission", dayAndHour(ticket.admission_at)],
    ["ticket.created", t("ticket.byAt", { by: ticket.created_by, at: dayAndHour(ticket.created_at) })],
  ];
}

/** @param {Ticket} ticket @returns {[import("../shell/text.js").Key, any][]} */
function leavingOf(ticket) {
  const { ready, discharge, annulment } = ticket;
  /** @type {[import("../shell/text.js").Key, any][]} */
  const rows = [
    ["ticket.fpa", blockOf(ticket)],
    ["ticket.nights", ticket.overnight_stays],
    ["ticket.ready", ready && t("ticket.byAt", { by: ready.by, at: dayAndHour(ready.at) })],
  ];
  if (ticket.current_fpa !== ticket.initial_fpa) rows.splice(1, 0, ["ticket.initialFpa", dayAndHour(ticket.initial_fpa)]);
  if (discharge) {
    rows.push(["ticket.discharged", dayAndHour(discharge.at)]);
    rows.push(["ticket.recorded", discharge.assumed ? t("ticket.assumed") : t("ticket.byAt", { by: discharge.by ?? "–", at: dayAndHour(discharge.recorded_at ?? discharge.at) })]);
  }
  if (annulment) rows.push(["ticket.annulment", `${annulment.reason ?? "–"} (${t("ticket.byAt", { by: annulment.by ?? "–", at: dayAndHour(annulment.at) })})`]);
  return rows;
}
