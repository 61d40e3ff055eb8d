/** Bed, location and episode, edited where they stand. What is typed stays while the board goes on around it. */

import { html, useEffect, useRef, useState } from "../../html.js";
import { Icon } from "../../parts/icon.js";
import { toast } from "../../parts/toasts.js";
import { fieldTexts, problemText } from "../../service/problems.js";
import { t } from "../../shell/text.js";
import { PLACE_FIELDS } from "../../tickets/place-form.js";
import { correct } from "../../tickets/verbs.js";
import { nameOf } from "../../tickets/words.js";
import { written } from "./actions.js";

/** @param {{board: import("./state.js").Board}} props */
export function PlaceForm({ board }) {
  const [failure, setFailure] = useState(/** @type {unknown} */ (null));
  const first = useRef(/** @type {HTMLInputElement | null} */ (null));
  useEffect(() => first.current?.select(), []);
  const edited = board.editing.value;
  if (!edited) return null;
  const { ticket, values } = edited;
  const refused = fieldTexts(failure);
  const save = async (/** @type {Event} */ event) => {
    event.preventDefault();
    const typed = PLACE_FIELDS.map(({ name }) => /** @type {const} */ ([name, values[name]?.trim() || null]));
    const changed = typed.filter(([name, value]) => value !== ticket[name]);
    if (!changed.length) return void (board.editing.value = null);
    setFailure(null);
    const mine = Object.fromEntries(changed.map(([name, value]) => [name, value ?? "–"]));
    try {
      if (!(await written(board, ticket, correct(ticket, Object.fromEntries(changed), mine)))) return;
      board.editing.value = null;
      toast(t("board.placed", { name: nameOf(ticket.patient) }));
    } catch (error) {
      setFailure(error);
    }
  };
  return html`
    <form class="place-form" onSubmit=${save} onKeyDown=${(/** @type {KeyboardEvent} */ event) => event.key === "Escape" && (board.editing.value = null)}>
      <h2>${nameOf(ticket.patient)}</h2>
      <div class="place-fields">
        ${PLACE_FIELDS.map(
          ({ name, label, maxlength }, at) => html`
            <label key=${name}>
              ${t(label)}
              <input
                ref=${at ? undefined : first}
                name=${name}
                maxlength=${maxlength}
                value=${values[name]}
                autocomplete="off"
                aria-invalid=${refused[name] ? true : undefined}
                onInput=${(/** @type {any} */ event) => (board.editing.value = { ticket, values: { ...values, [name]: event.target.value } })}
              />
            </label>
          `,
        )}
      </div>
      ${failure ? html`<p class="refused" role="alert">${Object.values(refused)[0] ?? problemText(failure)}</p>` : null}
      <footer>
        <button type="button" onClick=${() => (board.editing.value = null)}>${t("dialog.cancel")}</button>
        <button type="submit" class="primary" disabled=${board.pending.value.has(ticket.id)}><${Icon} name="check" />${t("dialog.save")}</button>
      </footer>
    </form>
  `;
}
