/** What the board's buttons write: each at once, with a way back, and never over what somebody else wrote unseen. */

import { html } from "../../html.js";
import { ask } from "../../parts/dialog.js";
import { toast, toastFailure } from "../../parts/toasts.js";
import { t } from "../../shell/text.js";
import { quietly } from "../../tickets/change.js";
import { DelayDialog } from "../../tickets/delay-dialog.js";
import * as verbs from "../../tickets/verbs.js";
import { nameOf } from "../../tickets/words.js";

/** @typedef {import("./state.js").Board} Board */
/** @typedef {import("./state.js").Ticket} Ticket */
/** @typedef {import("../../tickets/change.js").Answered} Answered */

/**
 * While it is written, the card's buttons wait; then the board is read anew.
 * @param {Board} board @param {Ticket} ticket @param {Promise<Answered>} writing
 * @returns {Promise<Answered | undefined>}  Undefined where the person decided against it. Rejects where it was refused.
 */
export async function written(board, ticket, writing) {
  const { pending } = board;
  pending.value = new Set(pending.value).add(ticket.id);
  try {
    return await quietly(writing);
  } finally {
    const left = new Set(pending.value);
    left.delete(ticket.id);
    pending.value = left;
    board.it.refresh();
  }
}

/**
 * @param {Board} board @param {Ticket} ticket @param {Promise<Answered>} writing @param {import("../../shell/text.js").Key} text
 * @param {(ticket: Ticket) => void} [undo]
 */
async function done(board, ticket, writing, text, undo) {
  try {
    const answer = await written(board, ticket, writing);
    if (answer) toast(t(text, { name: nameOf(ticket.patient) }), undo && (() => undo(answer.body)));
  } catch (error) {
    toastFailure(error, () => board.it.refresh());
  }
}

/** @param {Board} board @param {Ticket} ticket @returns {Promise<void>} */
export function toggleReady(board, ticket) {
  const back = (/** @type {Ticket} */ now) => toggleReady(board, now);
  return ticket.ready
    ? done(board, ticket, verbs.undoReady(ticket), "board.nowNotReady", back)
    : done(board, ticket, verbs.ready(ticket), "board.nowReady", back);
}

/** @param {Board} board @param {Ticket} ticket */
export function discharge(board, ticket) {
  return done(board, ticket, verbs.discharge(ticket), "board.nowDischarged", (now) => undoDischarge(board, now));
}

/** @param {Board} board @param {Ticket} ticket */
export function undoDischarge(board, ticket) {
  return done(board, ticket, verbs.undoDischarge(ticket), "board.backAgain");
}

/** @param {Board} board @param {Ticket} ticket */
export function showDelays(board, ticket) {
  // The board's own, which follows the changes; it leaves the board where a filter takes it away.
  const now = () => board.items.value.find((one) => one.id === ticket.id) ?? ticket;
  const write = (/** @type {Promise<Answered>} */ writing) => written(board, ticket, writing);
  return ask((close) => html`<${DelayDialog} now=${now} write=${write} close=${close} />`);
}
