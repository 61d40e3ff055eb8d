/** Bed, location and episode, edited where they stand. What is typed stays while the board goes on around it. */

import { html, useEffect, useRef, useState } from "../../html.js";
import { confirmed } from "../../parts/dialog.js";
import { Icon } from "../../parts/icon.js";
import { toast } from "../../parts/toasts.js";
import { Problem, write } from "../../service/api.js";
import { fieldTexts, problemText } from "../../service/problems.js";
import { t } from "../../shell/text.js";
import { written } from "./actions.js";
import { nameOf } from "./card.js";

const FIELDS = /** @type {const} */ ([
  ["bed_number", 10],
  ["location", 50],
  ["episode_id", 50],
]);

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
    const changed = Object.fromEntries(
      FIELDS.map(([name]) => [name, values[name]?.trim() || null]).filter(([name, value]) => value !== ticket[/** @type {"location"} */ (name)]),
    );
    if (!Object.keys(changed).length) return void (board.editing.value = null);
    setFailure(null);
    const landed = (/** @type {any} */ now) => Object.entries(changed).every(([name, value]) => now[name] === value);
    const params = { ticket_id: ticket.id };
    try {
      const answer = await written(board, ticket, (revision) => send(params, changed, revision, landed), changed);
      board.editing.value = null;
      if (answer) toast(t("board.placed", { name: nameOf(ticket) }));
    } catch (error) {
      setFailure(error);
    }
  };
  return html`
    <form class="place-form" onSubmit=${save} onKeyDown=${(/** @type {KeyboardEvent} */ event) => event.key === "Escape" && (board.editing.value = null)}>
      <h2>${nameOf(ticket)}</h2>
      <div class="place-fields">
        ${FIELDS.map(
          ([name, longest], at) => html`
            <label key=${name}>
              ${t(`ticket.${name}`)}
              <input
                ref=${at ? undefined : first}
                name=${name}
                maxlength=${longest}
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
        <button type="submit" class="primary" disabled=${board.pending.value.has(ticket.id)}><${Icon} name="check" />${t("board.save")}</button>
      </footer>
    </form>
  `;
}

/**
 * An episode that another ticket has is a question: whoever says that this is another stay of the patient answers it.
 * @param {{ticket_id: string}} params @param {Record<string, string | null>} body @param {number} revision
 * @param {(now: any) => boolean} landed
 */
async function send(params, body, revision, landed) {
  const path = "/v1/tickets/{ticket_id}";
  try {
    return await write("patch", path, { params, body, revision, landed });
  } catch (error) {
    if (!(error instanceof Problem) || error.code !== "episode_taken" || !(await isAnotherStay(error.told.ticket_id))) throw error;
    return write("patch", path, { params, body: { ...body, second_stay: error.told.ticket_id }, revision, landed });
  }
}

/** @param {string} id */
function isAnotherStay(id) {
  return confirmed({ title: t("board.episodeTaken"), text: t("board.episodeTakenText", { id }), action: t("board.secondStay") });
}
