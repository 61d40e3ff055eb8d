/** Patients whose FPA is days ago and whom nobody discharged: an administrator discharges several at once. */

import { html } from "../../html.js";
import { ask, confirmed, Dialog } from "../../parts/dialog.js";
import { toast, toastFailure } from "../../parts/toasts.js";
import { write } from "../../service/api.js";
import { t, told } from "../../shell/text.js";

/** As many as the service takes at once. */
const MOST = 200;

/** @param {{board: import("./state.js").Board}} props */
export function Forgotten({ board }) {
  const items = board.items.value;
  const chosen = items.filter((one) => board.chosen.value.has(one.id)).slice(0, MOST);
  const all = () => (board.chosen.value = chosen.length ? new Set() : new Set(items.slice(0, MOST).map((one) => one.id)));
  const discharge = async () => {
    const sure = await confirmed({
      title: t("forgotten.title", { n: chosen.length }),
      text: t("forgotten.text"),
      action: t("forgotten.action", { n: chosen.length }),
    });
    if (!sure) return;
    const body = { tickets: chosen.map(({ id, revision }) => ({ id, revision })) };
    try {
      const { body: answer, versions } = await write("post", "/v1/tickets/assumed-discharges", { body });
      board.chosen.value = new Set();
      board.it.refresh(versions);
      report(answer.items);
    } catch (error) {
      toastFailure(error, () => board.it.refresh());
    }
  };
  return html`
    <div class="bulk">
      <p>${t("forgotten.lead")}</p>
      <button type="button" onClick=${all}>${t(chosen.length ? "forgotten.none" : "forgotten.all")}</button>
      <button type="button" class="primary" disabled=${!chosen.length} onClick=${discharge}>
        ${t("forgotten.action", { n: chosen.length })}
      </button>
    </div>
  `;
}

/** @param {import("../../service/api.js").Schemas["AssumedDischargeView"][]} items */
function report(items) {
  const left = items.filter((one) => one.outcome !== "discharged");
  if (!left.length) return toast(t("forgotten.done", { n: items.length }));
  return ask(
    (close) => html`
      <${Dialog} title=${t("forgotten.left", { n: left.length })} close=${close}>
        <ul class="delays">
          ${left.map((one) => html`<li key=${one.id}><b>${one.id}</b><span>${told("problem", one.outcome)}</span></li>`)}
        </ul>
      </${Dialog}>
    `,
  );
}
