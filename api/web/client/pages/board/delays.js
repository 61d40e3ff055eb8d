/** Why a patient is still here: the reasons that hold now, each ended with a press, and the clinic's list of others. */

import { html, useEffect, useMemo, useSignal } from "../../html.js";
import { Dialog } from "../../parts/dialog.js";
import { Field } from "../../parts/form.js";
import { Loaded } from "../../parts/states.js";
import { toast, toastFailure } from "../../parts/toasts.js";
import { get, write } from "../../service/api.js";
import { live } from "../../service/live.js";
import { dayAndHour } from "../../service/times.js";
import { t } from "../../shell/text.js";
import { written } from "./actions.js";
import { nameOf } from "./card.js";

/** @typedef {import("../../service/api.js").Schemas["ReasonItem"]} Reason */

/** @param {{board: import("./state.js").Board, id: string, seen: import("./state.js").Ticket, close: () => void}} props */
export function DelayDialog({ board, id, seen, close }) {
  const note = useSignal("");
  const reasons = useMemo(
    () => live(["catalogs"], (sent) => get("/v1/reasons", { ...sent, query: { category: "delay", clinic_id: seen.clinic_id } })),
    [],
  );
  useEffect(() => reasons.stop, []);
  // The board's own, which follows the changes; it leaves the board where a filter takes it away.
  const ticket = board.items.value.find((one) => one.id === id) ?? seen;
  const params = { ticket_id: id };

  const set = async (/** @type {Reason} */ reason) => {
    const body = { reason_id: reason.id, note: note.value.trim() || null };
    close();
    try {
      const answer = await written(board, ticket, (revision) => write("post", "/v1/tickets/{ticket_id}/delays", { params, body, revision }));
      if (answer) toast(t("board.nowDelayed", { name: nameOf(ticket), reason: reason.reason }));
    } catch (error) {
      toastFailure(error, () => board.it.refresh());
    }
  };
  const end = async (/** @type {number} */ delay_id) => {
    const landed = (/** @type {any} */ now) => now.delays.every((/** @type {any} */ one) => one.id !== delay_id);
    const path = "/v1/tickets/{ticket_id}/delays/{delay_id}";
    try {
      await written(board, ticket, (revision) => write("delete", path, { params: { ...params, delay_id }, revision, landed }));
    } catch (error) {
      toastFailure(error);
    }
  };

  return html`
    <${Dialog} title=${t("delays.title", { name: nameOf(ticket) })} close=${close}>
      ${ticket.delays.length
        ? html`
            <ul class="delays">
              ${ticket.delays.map(
                (one) => html`
                  <li key=${one.id}>
                    <div><b>${one.reason}</b><small>${dayAndHour(one.at)} · ${one.by}</small>${one.note ? html`<p>${one.note}</p>` : null}</div>
                    <button type="button" onClick=${() => end(one.id)}>${t("delays.end")}</button>
                  </li>
                `,
              )}
            </ul>
          `
        : null}
      <div class="delay-new">
        <${Field} name="note" label=${t("delays.note")}>
          ${(/** @type {import("../../parts/form.js").Given} */ { id: field }) => html`
            <input id=${field} maxlength="1000" value=${note.value} onInput=${(/** @type {any} */ event) => (note.value = event.target.value)} />
          `}
        </${Field}>
        <${Loaded} of=${reasons}>
          ${(/** @type {{items: Reason[]}} */ body) => html`
            <ul class="reasons">
              ${body.items
                .filter((one) => !ticket.delays.some((delay) => delay.reason === one.reason))
                .map((one) => html`<li key=${one.id}><button type="button" onClick=${() => set(one)}>${one.reason}</button></li>`)}
            </ul>
            ${body.items.length ? null : html`<p>${t("delays.none")}</p>`}
          `}
        </${Loaded}>
      </div>
    </${Dialog}>
  `;
}
