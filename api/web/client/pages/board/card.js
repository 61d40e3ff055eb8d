/** A ticket on the board: who, where, until when, and what a nurse does with one thumb. */

import { html } from "../../html.js";
import { Icon } from "../../parts/icon.js";
import { dayAndHour } from "../../service/times.js";
import { clinics, may, session } from "../../service/session.js";
import { t } from "../../shell/text.js";
import { colour, StateMark } from "../../tickets/state-mark.js";
import { nameOf } from "../../tickets/words.js";
import { discharge, showDelays, toggleReady, undoDischarge } from "./actions.js";
import { PlaceForm } from "./place-form.js";
import { MARKED_FOR } from "./state.js";
import { Countdown } from "./urgency.js";

/** @typedef {import("./state.js").Board} Board */
/** @typedef {import("./state.js").Ticket} Ticket */

/** @param {{ticket: Ticket, board: Board}} props */
export function Card({ ticket, board }) {
  const edited = board.editing.value?.ticket.id === ticket.id;
  const at = board.changed.value.get(ticket.id);
  const mark = at !== undefined && Date.now() - at < MARKED_FOR ? String(at % 2) : undefined;
  return html`
    <article
      class="card"
      data-state=${colour(ticket)}
      data-ready=${ticket.ready ? "" : undefined}
      data-mark=${mark}
      aria-busy=${board.pending.value.has(ticket.id)}
      aria-label=${t("board.card", { name: nameOf(ticket.patient), bed: ticket.bed_number ?? "–" })}
    >
      ${edited ? html`<${PlaceForm} board=${board} />` : html`<${Facts} ticket=${ticket} board=${board} />`}
    </article>
  `;
}

/** @param {{ticket: Ticket, board: Board}} props */
function Facts({ ticket, board }) {
  const { patient } = ticket;
  const clinic = session.value?.user.clinic_id === null ? clinics.value.find((one) => one.id === ticket.clinic_id)?.name : null;
  return html`
    <div class="card-top">
      <${Place} ticket=${ticket} board=${board} />
      <div class="card-time"><${Countdown} of=${ticket} /><${StateMark} of=${ticket} /></div>
    </div>
    <h2 title=${nameOf(ticket.patient)}><a href=${`/tickets/${ticket.id}`}>${nameOf(ticket.patient)}</a></h2>
    <p class="facts">
      ${[
        patient?.document,
        patient?.age != null ? t("board.age", { n: patient.age }) : null,
        patient?.sex,
        ticket.episode_id ? t("board.episode", { id: ticket.episode_id }) : t("board.noEpisode"),
        clinic,
      ]
        .filter(Boolean)
        .join(" · ")}
    </p>
    <p class="facts" title=${ticket.surgery.name}>${[ticket.surgery.name, ticket.doctor?.name].filter(Boolean).join(" · ")}</p>
    <div class="card-end">
      <p class="block"><span>${t("board.fpa")}</span> ${dayAndHour(ticket.current_fpa)}<em>${ticket.block.label}</em></p>
      ${may("clinical") && ticket.status !== "annulled" ? html`<${Actions} ticket=${ticket} board=${board} />` : html`<${Signs} ticket=${ticket} />`}
    </div>
  `;
}

/** Bed and location; a press edits them, and the episode, in place. @param {{ticket: Ticket, board: Board}} props */
function Place({ ticket, board }) {
  const text = html`<b>${ticket.bed_number ?? "–"}</b><span>${ticket.location ?? t("board.noLocation")}</span>`;
  const editable = may("clinical") && ticket.status !== "annulled";
  if (!editable) return html`<div class="place">${text}</div>`;
  const edit = () => {
    const { bed_number, location, episode_id } = ticket;
    const values = { bed_number: bed_number ?? "", location: location ?? "", episode_id: episode_id ?? "" };
    board.editing.value = { ticket, values };
  };
  return html`
    <button type="button" class="place" onClick=${edit}>
      ${text}<span class="for-ears">${t("board.editPlace", { name: nameOf(ticket.patient) })}</span>
    </button>
  `;
}

/** What the buttons tell to who has none. @param {{ticket: Ticket}} props */
function Signs({ ticket }) {
  return html`
    <ul class="signs">
      ${ticket.ready ? html`<li data-sign="ready"><${Icon} name="check" />${t("board.ready")}</li>` : null}
      ${ticket.delays.length ? html`<li data-sign="delay"><${Icon} name="old" />${delayText(ticket)}</li>` : null}
    </ul>
  `;
}

/** Why the patient is still here: the first reason, and how many others there are. @param {Ticket} ticket */
function delayText({ delays: [first, ...others] }) {
  if (!first) return t("board.delay");
  return others.length ? `${first.reason} +${others.length}` : first.reason;
}

/** @param {{ticket: Ticket, board: Board}} props */
function Actions({ ticket, board }) {
  const busy = board.pending.value.has(ticket.id);
  if (ticket.status === "discharged") {
    return html`
      <div class="card-actions">
        <button type="button" disabled=${busy} onClick=${() => undoDischarge(board, ticket)}>${t("toast.undo")}</button>
      </div>
    `;
  }
  const name = nameOf(ticket.patient);
  return html`
    <div class="card-actions">
      ${board.question.value.view === "forgotten" && may("admin") ? html`<${Chosen} ticket=${ticket} board=${board} />` : null}
      <button
        type="button"
        disabled=${busy}
        aria-pressed=${Boolean(ticket.ready)}
        aria-label=${t("board.readyOf", { name })}
        onClick=${() => toggleReady(board, ticket)}
      >
        <${Icon} name="check" /><span>${t("board.ready")}</span>
      </button>
      <button
        type="button"
        class="delay"
        disabled=${busy}
        data-delayed=${ticket.delays.length ? "" : undefined}
        title=${delayText(ticket)}
        onClick=${() => showDelays(board, ticket)}
      >
        <${Icon} name="old" /><span>${delayText(ticket)}</span><span class="for-ears">${name}</span>
      </button>
      <button type="button" disabled=${busy} aria-label=${t("board.dischargeOf", { name })} onClick=${() => discharge(board, ticket)}>
        <${Icon} name="leave" /><span>${t("board.discharge")}</span>
      </button>
    </div>
  `;
}

/** @param {{ticket: Ticket, board: Board}} props */
function Chosen({ ticket, board }) {
  const is = board.chosen.value.has(ticket.id);
  const change = () => {
    const next = new Set(board.chosen.value);
    if (!next.delete(ticket.id)) next.add(ticket.id);
    board.chosen.value = next;
  };
  return html`
    <label class="chosen">
      <input type="checkbox" checked=${is} onChange=${change} aria-label=${t("board.choose", { name: nameOf(ticket.patient) })} />
    </label>
  `;
}
