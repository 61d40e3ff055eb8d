/**
 * What the service asks before it writes: whether two people are one, whether a patient has two stays, whose episode it
 * is. A question, and no error: each shows what is known, and is answered in the next request.
 */

import { html } from "../html.js";
import { ask, Dialog } from "../parts/dialog.js";
import { get } from "../service/api.js";
import { dayAndHour } from "../service/times.js";
import { t } from "../shell/text.js";
import { blockOf, documentOf, factsOf, nameOf, placeOf } from "./words.js";

/** @typedef {import("../service/api.js").Problem} Problem */
/** @typedef {{same_person?: {id: number, revision: number}, second_stay?: string}} Answer  What goes into the next body. */

/**
 * @param {Problem} problem @param {any} typed the patient as it was typed
 * @returns {Promise<Answer | null | undefined>} null: the person wants to correct something; undefined: it is no question
 */
export async function asked(problem, typed) {
  if (problem.code === "patient_mismatch") {
    const { patient } = problem.told;
    const same = await ask((close) => html`<${SamePerson} typed=${typed} file=${patient} close=${close} />`);
    return same ? { same_person: { id: patient.id, revision: patient.revision } } : null;
  }
  if (problem.code !== "already_admitted" && problem.code !== "episode_taken") return undefined;
  const id = problem.told.ticket_id;
  const other = await get("/v1/tickets/{ticket_id}", { params: { ticket_id: id } }).then(({ body }) => body);
  const isStay = problem.code === "already_admitted";
  const second = await ask((close) => html`<${OtherStay} ticket=${other} isStay=${isStay} close=${close} />`);
  return second ? { second_stay: id } : null;
}

/** @param {{typed: any, file: any, close: (same?: boolean) => void}} props */
function SamePerson({ typed, file, close }) {
  const rows = /** @type {const} */ ([
    ["patient.name", nameOf],
    ["patient.facts", factsOf],
  ]);
  return html`
    <${Dialog} title=${t("question.samePerson")} wide close=${close}>
      <p>${t("question.samePersonText", { document: documentOf(file) })}</p>
      <div class="table"><table class="conflict">
        <thead>
          <tr>
            <td></td>
            <th scope="col">${t("question.typed")}</th>
            <th scope="col">${t("question.onFile")}</th>
          </tr>
        </thead>
        <tbody>
          ${rows.map(
            ([name, of]) => html`
              <tr key=${name}>
                <th scope="row">${t(name)}</th>
                <td data-label=${t("question.typed")}>${typed ? of({ age: null, sex: null, ...typed }) : "–"}</td>
                <td data-label=${t("question.onFile")}><strong>${of(file)}</strong></td>
              </tr>
            `,
          )}
        </tbody>
      </table></div>
      <footer>
        <button type="button" onClick=${() => close()}>${t("question.anotherPerson")}</button>
        <button type="button" class="primary" onClick=${() => close(true)}>${t("question.isSamePerson")}</button>
      </footer>
    </${Dialog}>
  `;
}

/** @param {{ticket: import("./words.js").TicketDetail, isStay: boolean, close: (second?: boolean) => void}} props */
function OtherStay({ ticket, isStay, close }) {
  return html`
    <${Dialog} title=${t(isStay ? "question.secondStay" : "question.episode")} close=${close}>
      <p>${t(isStay ? "question.secondStayText" : "question.episodeText")}</p>
      <dl class="pairs">
        <div><dt>${t("ticket.number")}</dt><dd><a href=${`/tickets/${ticket.id}`} target="_blank">${ticket.id}</a></dd></div>
        <div><dt>${t("ticket.patient")}</dt><dd>${nameOf(ticket.patient)}</dd></div>
        <div><dt>${t("ticket.surgery")}</dt><dd>${ticket.surgery.name}, ${dayAndHour(ticket.surgery_at)}</dd></div>
        <div><dt>${t("ticket.fpa")}</dt><dd>${blockOf(ticket)}</dd></div>
        <div><dt>${t("ticket.place")}</dt><dd>${placeOf(ticket)}</dd></div>
      </dl>
      <footer>
        <button type="button" class=${isStay ? "" : "primary"} onClick=${() => close()}>
          ${t(isStay ? "question.noSecondStay" : "question.correctEpisode")}
        </button>
        ${isStay
          ? html`<button type="button" class="primary" onClick=${() => close(true)}>${t("question.isSecondStay")}</button>`
          : null}
      </footer>
    </${Dialog}>
  `;
}
