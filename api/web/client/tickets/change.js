/**
 * A change of a ticket, from what somebody saw to what the service has: where somebody else was faster, both versions are
 * shown and the person decides; what the service asks is asked of the person. All pages change a ticket by `change` alone.
 */

import { compared, resolved } from "../parts/conflict.js";
import { toast } from "../parts/toasts.js";
import { Problem, write } from "../service/api.js";
import { t } from "../shell/text.js";
import { asked } from "./questions.js";

/** @typedef {import("./words.js").Ticket} Ticket */
/** @typedef {import("./words.js").TicketDetail} TicketDetail */
/** @typedef {import("../service/api.js").Answer<TicketDetail>} Answered */
/** @typedef {Partial<Record<import("../parts/conflict.js").FieldName, string>>} Mine  What is meant, as `compared` tells it. */
/** @typedef {Record<string, any>} Body */

/** The person looked at what was asked, and changes nothing for now: what was typed stays. */
export class Withdrawn extends Error {}

/**
 * @param {Ticket} seen  What the person looked at.
 * @param {"post" | "put" | "patch" | "delete"} method
 * @param {string} path  One of the contract's, below `/v1/tickets/{ticket_id}`.
 * @param {{body?: Body, params?: Record<string, unknown>, mine: Mine, patient?: any}} sent
 *   `mine`: what will be there, to be shown beside what somebody else has made of it.
 * @returns {Promise<Answered>}  Rejects with Withdrawn where the person decides against it.
 */
export async function change(seen, method, path, { body, params = {}, mine, patient }) {
  let before = seen;
  const send = async (/** @type {Body | undefined} */ told) => {
    for (;;) {
      try {
        const query = method === "delete" ? told : undefined; // where a discharge is undone: it has no body
        const sent = { params: { ticket_id: seen.id, ...params }, body: query ? undefined : told, query, revision: before.revision };
        return await anyWrite(method, path, { ...sent, landed: (/** @type {Ticket} */ now) => isThere(mine, now) });
      } catch (error) {
        if (!(error instanceof Problem) || error.code !== "revision_mismatch") throw error;
        const current = /** @type {Ticket} */ (error.told.current);
        if (!(await resolved({ seen: before, current, mine }))) throw new Withdrawn();
        before = current;
      }
    }
  };
  return warned(await answered(send, body, patient));
}

/** @param {Mine} mine @param {Ticket} now */
function isThere(mine, now) {
  const there = /** @type {Record<string, string>} */ (compared(now));
  return Object.entries(mine).every(([name, value]) => there[name] === value);
}

/** Of whatever path: `change` takes the paths of tickets one by one. @type {(method: string, path: string, sent: object) => Promise<Answered>} */
const anyWrite = /** @type {any} */ (write);

/**
 * Sends, and asks the person whatever the service asks, until there is an answer.
 * @template Answer
 * @param {(body: Body | undefined) => Promise<Answer>} send
 * @param {Body | undefined} body
 * @param {any} [typed]  The patient as it was typed, to be shown beside the one on file.
 * @returns {Promise<Answer>}
 */
export async function answered(send, body, typed) {
  for (;;) {
    try {
      return await send(body);
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      const more = await asked(error, typed);
      if (more === undefined) throw error;
      if (more === null) throw new Withdrawn();
      const { same_person, ...rest } = more;
      body = { ...body, ...rest, ...(same_person ? { patient: { ...body?.patient, same_person } } : {}) };
    }
  }
}

/** Tells what the service says beside its answer. @template {{body: TicketDetail}} A @param {A} answer @returns {A} */
export function warned(answer) {
  for (const { code, ticket_id } of answer.body.warnings) {
    if (code === "bed_taken") toast(t("warning.bed_taken", { ticket: ticket_id ?? "" }));
    else if (code === "name_differs") toast(t("warning.name_differs"));
    else toast(code);
  }
  return answer;
}

/**
 * Waits for a write, after which nothing is to be told where the person withdrew.
 * @template A @param {Promise<A>} writing @returns {Promise<A | undefined>}
 */
export function quietly(writing) {
  return writing.catch((error) => {
    if (!(error instanceof Withdrawn)) throw error;
    return undefined;
  });
}
