/** What may be done to a ticket, each a write that was made from what somebody saw of it (`change`). */

import { dayAndHour } from "../service/times.js";
import { t } from "../shell/text.js";
import { change } from "./change.js";

/** @typedef {import("./words.js").Ticket} Ticket */
/** @typedef {import("./change.js").Answered} Answered */

/** @param {{reason: string}[]} delays */
const reasons = (delays) => delays.map((one) => one.reason).join("; ") || "–";
/** @param {string | null} at as an input of dates has it, or null: now */
const moment = (at) => (at ? dayAndHour(at) : t("moment.now"));

/** @param {Ticket} ticket @param {string | null} [at] the clinic's local time; null: now @returns {Promise<Answered>} */
export function ready(ticket, at = null) {
  return change(ticket, "post", "/v1/tickets/{ticket_id}/ready", { body: at ? { ready_at: at } : {}, mine: { ready: moment(at) } });
}

/** @param {Ticket} ticket @returns {Promise<Answered>} */
export function undoReady(ticket) {
  return change(ticket, "delete", "/v1/tickets/{ticket_id}/ready", { mine: { ready: "–" } });
}

/** @param {Ticket} ticket @param {string | null} [at] the clinic's local time; null: now @returns {Promise<Answered>} */
export function discharge(ticket, at = null) {
  return change(ticket, "post", "/v1/tickets/{ticket_id}/discharge", { body: at ? { discharged_at: at } : {}, mine: { status: t("status.discharged") } });
}

/** @param {Ticket} ticket @returns {Promise<Answered>} */
export function undoDischarge(ticket) {
  return change(ticket, "delete", "/v1/tickets/{ticket_id}/discharge", { mine: { status: t("status.active") } });
}

/** @param {Ticket} ticket @param {{id: number, reason: string}} reason @param {string | null} note @returns {Promise<Answered>} */
export function delay(ticket, reason, note) {
  return change(ticket, "post", "/v1/tickets/{ticket_id}/delays", { body: { reason_id: reason.id, note }, mine: { delays: reasons([...ticket.delays, reason]) } });
}

/** @param {Ticket} ticket @param {{id: number, reason: string}} open @returns {Promise<Answered>} */
export function endDelay(ticket, open) {
  return change(ticket, "delete", "/v1/tickets/{ticket_id}/delays/{delay_id}", { params: { delay_id: open.id }, mine: { delays: reasons(ticket.delays.filter((one) => one.id !== open.id)) } });
}

/** @param {Ticket} ticket @param {{id: number, reason: string}} reason @returns {Promise<Answered>} */
export function annul(ticket, reason) {
  return change(ticket, "post", "/v1/tickets/{ticket_id}/annulment", { body: { reason_id: reason.id }, mine: { status: t("status.annulled") } });
}

/** @param {Ticket} ticket @returns {Promise<Answered>} */
export function restore(ticket) {
  return change(ticket, "post", "/v1/tickets/{ticket_id}/restoration", { body: {}, mine: { status: t("status.active") } });
}

/**
 * @param {Ticket} ticket @param {{date: string, hour: number, told: string}} block  The local date and hour at which it ends.
 * @param {{id: number, reason: string}} reason @param {string | null} justification @returns {Promise<Answered>}
 */
export function modifyFpa(ticket, block, reason, justification) {
  const body = { date: block.date, block_end_hour: block.hour, reason_id: reason.id, justification };
  return change(ticket, "post", "/v1/tickets/{ticket_id}/fpa-modifications", { body, mine: { fpa: block.told } });
}

/**
 * @param {Ticket} ticket @param {Record<string, unknown>} body of the PATCH @param {import("./change.js").Mine} mine
 * @param {Record<string, unknown>} [patient] as it was typed @returns {Promise<Answered>}
 */
export function correct(ticket, body, mine, patient) {
  return change(ticket, "patch", "/v1/tickets/{ticket_id}", { body, mine, patient });
}

/** @param {Ticket} ticket @param {Record<string, any>} body of the PUT @param {import("./change.js").Mine} mine @returns {Promise<Answered>} */
export function edit(ticket, body, mine) {
  return change(ticket, "put", "/v1/tickets/{ticket_id}", { body, mine, patient: body.patient });
}

/** @param {Ticket} ticket @param {Record<string, unknown>} patient @param {import("./change.js").Mine} mine @returns {Promise<Answered>} */
export function reassign(ticket, patient, mine) {
  return change(ticket, "post", "/v1/tickets/{ticket_id}/reassignment", { body: { patient }, mine, patient });
}
