/** Why a patient is still here: the reasons that hold now, each ended with a press, and the clinic's list of others. */

import { html, useSignal } from "../html.js";
import { Dialog } from "../parts/dialog.js";
import { TextField } from "../parts/form.js";
import { Loaded } from "../parts/states.js";
import { problemText } from "../service/problems.js";
import { dayAndHour } from "../service/times.js";
import { t } from "../shell/text.js";
import { useReasons } from "./catalogs.js";
import { quietly } from "./change.js";
import { delay, endDelay } from "./verbs.js";
import { nameOf } from "./words.js";

/** @typedef {import("../service/api.js").Schemas["ReasonItem"]} Reason */
/** @typedef {import("./change.js").Answered} Answered */

/**
 * @param {object} props
 * @param {() => import("./words.js").Ticket} props.now  The ticket as it is known now.
 * @param {(writing: Promise<Answered>) => Promise<Answered | undefined>} [props.write]  Waits for what is written.
 * @param {(answer?: Answered) => void} props.close  With what was written.
 */
export function DelayDialog({ now, write = quietly, close }) {
  const note = useSignal("");
  const failure = useSignal(/** @type {unknown} */ (null));
  const sending = useSignal(false);
  const ticket = now();
  const reasons = useReasons("delay", ticket.clinic_id);
  const send = async (/** @type {Promise<Answered>} */ writing) => {
    sending.value = true;
    failure.value = null;
    try {
      const answer = await write(writing);
      if (answer) close(answer);
    } catch (error) {
      failure.value = error;
    }
    sending.value = false;
  };
  return html`
    <${Dialog} title=${t("delays.title", { name: nameOf(ticket.patient) })} close=${() => close()}>
      ${ticket.delays.length
        ? html`
            <ul class="delays">
              ${ticket.delays.map(
                (one) => html`
                  <li key=${one.id}>
                    <div><b>${one.reason}</b><small>${t("ticket.byAt", { by: one.by, at: dayAndHour(one.at) })}</small>${one.note ? html`<p>${one.note}</p>` : null}</div>
                    <button type="button" disabled=${sending.value} onClick=${() => send(endDelay(ticket, one))}>${t("delay.end")}</button>
                  </li>
                `,
              )}
            </ul>
          `
        : null}
      <div class="delay-new">
        <${TextField} name="note" label=${t("delay.note")} value=${note} maxlength=${1000} />
        <${Loaded} of=${reasons}>
          ${(/** @type {{items: Reason[]}} */ body) => html`
            <ul class="reasons">
              ${body.items
                .filter((one) => !ticket.delays.some((other) => other.reason === one.reason))
                .map((one) => html`<li key=${one.id}><button type="button" disabled=${sending.value} onClick=${() => send(delay(ticket, one, note.value.trim() || null))}>${one.reason}</button></li>`)}
            </ul>
            ${body.items.length ? null : html`<p>${t("delays.none")}</p>`}
          `}
        </${Loaded}>
        ${failure.value ? html`<p class="refused" role="alert">${problemText(failure.value)}</p>` : null}
      </div>
    </${Dialog}>
  `;
}
