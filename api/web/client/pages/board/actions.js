/** What the board's buttons write: each at once, with a way back, and never over what somebody else wrote unseen. */

import { html } from "../../html.js";
import { ask } from "../../parts/dialog.js";
import { resolved } from "../../parts/conflict.js";
import { toast, toastFailure } from "../../parts/toasts.js";
import { Problem, write } from "../../service/api.js";
import { t } from "../../shell/text.js";
import { nameOf } from "./card.js";
import { DelayDialog } from "./delays.js";

/** @typedef {import("./state.js").Board} Board */
/** @typedef {import("./state.js").Ticket} Ticket */
/** @typedef {import("../../service/api.js").Schemas["TicketDetail"]} Detail */
/** @typedef {import("../../service/api.js").Answer<Detail>} Written */

/**
 * Write to a ticket as it was seen. Where somebody changed it meanwhile, both versions are shown, and it is written
 * again if that is still wanted.
 * @param {Board} board
 * @param {Ticket} seen
 * @param {(revision: number) => Promise<any>} send
 * @param {Record<string, string | null>} [mine]  What is written, by field.
 * @returns {Promise<Written | null>}  Null where it was not written after all. Rejects where it was refused.
 */
export async function written(board, seen, send, mine = {}) {
  const { pending } = board;
  pending.value = new Set(pending.value).add(seen.id);
  try {
    let answer;
    try {
      answer = await send(seen.revision);
    } catch (error) {
      if (!(error instanceof Problem) || error.code !== "revision_mismatch") throw error;
      const current = /** @type {Ticket} */ (error.told.current);
      if (!(await resolved({ seen, current, mine }))) return null;
      answer = await send(current.revision);
    }
    warn(answer.body);
    return answer;
  } finally {
    const left = new Set(pending.value);
    left.delete(seen.id);
    pending.value = left;
    board.it.refresh();
  }
}

/** @param {Detail | null} ticket */
function warn(ticket) {
  for (const warning of ticket?.warnings ?? []) {
    if (warning.code === "bed_taken") toast(t("board.bedTaken", { id: warning.ticket_id ?? "" }));
  }
}

/** @param {Board} board @param {Ticket} ticket */
export async function toggleReady(board, ticket) {
  const params = { ticket_id: ticket.id };
  const path = "/v1/tickets/{ticket_id}/ready";
  const landed = (/** @type {Ticket} */ now) => Boolean(now.ready) !== Boolean(ticket.ready);
  try {
    const answer = await written(board, ticket, (revision) =>
      ticket.ready ? write("delete", path, { params, revision, landed }) : write("post", path, { params, revision, landed }),
    );
    if (!answer) return;
    const text = t(ticket.ready ? "board.nowNotReady" : "board.nowReady", { name: nameOf(ticket) });
    toast(text, () => toggleReady(board, answer.body));
  } catch (error) {
    toastFailure(error, () => board.it.refresh());
  }
}

/** @param {Board} board @param {Ticket} ticket */
export async function discharge(board, ticket) {
  const landed = (/** @type {Ticket} */ now) => now.status === "discharged";
  try {
    const answer = await written(board, ticket, (revision) =>
      write("post", "/v1/tickets/{ticket_id}/discharge", { params: { ticket_id: ticket.id }, revision, landed }),
    );
    if (answer) toast(t("board.nowDischarged", { name: nameOf(ticket) }), () => undoDischarge(board, answer.body));
  } catch (error) {
    toastFailure(error, () => board.it.refresh());
  }
}

/** @param {Board} board @param {Ticket} ticket */
export async function undoDischarge(board, ticket) {
  const landed = (/** @type {Ticket} */ now) => now.status === "active";
  try {
    const answer = await written(board, ticket, (revision) =>
      write("delete", "/v1/tickets/{ticket_id}/discharge", { params: { ticket_id: ticket.id }, revision, landed }),
    );
    if (answer) toast(t("board.backAgain", { name: nameOf(ticket) }));
  } catch (error) {
    toastFailure(error, () => board.it.refresh());
  }
}

/** @param {Board} board @param {Ticket} ticket */
export function showDelays(board, ticket) {
  return ask((close) => html`<${DelayDialog} board=${board} id=${ticket.id} seen=${ticket} close=${close} />`);
}
