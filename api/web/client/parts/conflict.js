/** Somebody else changed it meanwhile: how it was, how it is, and what one was about to write, side by side. */

import { html } from "../html.js";
import { dayAndHour } from "../service/times.js";
import { t } from "../shell/text.js";
import { factsOf, nameOf } from "../tickets/words.js";
import { ask, Dialog } from "./dialog.js";

/** @typedef {import("../service/api.js").Schemas["TicketSummary"]} Ticket */

/** @typedef {keyof ReturnType<typeof compared>} FieldName */

/** A ticket's fields, in the order in which they are compared, by the name of their text `ticket.…`. @param {Ticket} ticket */
export function compared(ticket) {
  return {
    status: t(`status.${ticket.status}`),
    ready: ticket.ready ? dayAndHour(ticket.ready.at) : "–",
    delays: ticket.delays.map((one) => one.reason).join("; ") || "–",
    fpa: dayAndHour(ticket.current_fpa),
    bed_number: ticket.bed_number ?? "–",
    location: ticket.location ?? "–",
    episode_id: ticket.episode_id ?? "–",
    patient: [nameOf(ticket.patient), factsOf(ticket.patient)].filter(Boolean).join(" · "),
    surgery: ticket.surgery.name,
    surgery_at: dayAndHour(ticket.surgery_at),
    doctor: ticket.doctor?.name ?? "–",
  };
}

/**
 * @param {{seen: Ticket, current: Ticket, mine?: Record<string, string | null>}} versions  `mine` by the names of `compared`.
 * @returns {Promise<boolean>} whether to write it over what is there now.
 */
export async function resolved({ seen, current, mine = {} }) {
  const before = compared(seen);
  const now = compared(current);
  const names = /** @type {FieldName[]} */ (Object.keys(before));
  const rows = names.filter((name) => before[name] !== now[name] || name in mine);
  const answer = await ask(
    (close) => html`
      <${Dialog} title=${t("conflict.title")} close=${close} wide>
        <p>${t("conflict.text")}</p>
        <div class="table">
          <table class="conflict">
            <thead>
              <tr>
                <td></td>
                <th scope="col">${t("conflict.seen")}</th>
                <th scope="col">${t("conflict.now")}</th>
                ${Object.keys(mine).length ? html`<th scope="col">${t("conflict.mine")}</th>` : null}
              </tr>
            </thead>
            <tbody>
              ${rows.map(
                (name) => html`
                  <tr key=${name}>
                    <th scope="row">${t(`ticket.${name}`)}</th>
                    <td data-label=${t("conflict.seen")}>${before[name]}</td>
                    <td data-label=${t("conflict.now")} data-differs=${before[name] !== now[name] ? "" : undefined}>${now[name]}</td>
                    ${Object.keys(mine).length
                      ? html`<td data-label=${t("conflict.mine")}>${name in mine ? mine[name] || "–" : now[name]}</td>`
                      : null}
                  </tr>
                `,
              )}
            </tbody>
          </table>
        </div>
        <footer>
          <button type="button" onClick=${() => close()}>${t("conflict.keep")}</button>
          <button type="button" class="primary" onClick=${() => close(true)}>${t("conflict.write")}</button>
        </footer>
      </${Dialog}>
    `,
  );
  return answer === true;
}
