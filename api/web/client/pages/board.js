/** The nursing board: what matters now on the wards. */

import { html, signal, useEffect, useMemo } from "../html.js";
import { Failure, Loading, StaleMark } from "../parts/states.js";
import { setClock } from "../service/clock.js";
import { chosenClinic, may } from "../service/session.js";
import { t } from "../shell/text.js";
import { Card } from "./board/card.js";
import { useDue } from "./board/due.js";
import { Forgotten } from "./board/forgotten.js";
import { Grid } from "./board/grid.js";
import { newBoard } from "./board/state.js";
import { Toolbar, Urgencies } from "./board/toolbar.js";

/** @typedef {import("./board/state.js").Ticket} Ticket */
/** @typedef {import("./board/state.js").Board} Board */

const KEPT = "ticket-home.density";
/** Whether cards are low and wide, for a desk. */
const dense = signal(localStorage.getItem(KEPT) === "dense");

/** @param {{query: URLSearchParams}} props  Another clinic's board begins anew. */
export function BoardPage({ query }) {
  return html`<${Whole} key=${chosenClinic.value} query=${query} />`;
}

/** @param {{query: URLSearchParams}} props */
function Whole({ query }) {
  const board = useMemo(() => newBoard(query), []);
  useEffect(() => board.stop, []);
  useDue(board);
  const answer = board.it.answer.value;
  useEffect(() => {
    if (answer && !answer.stale) setClock(answer.body.now);
  }, [answer]);
  const since = board.it.staleSince.value;
  return html`
    <div class="board" data-stale=${since !== null || undefined}>
      <h1 class="for-ears">${t("board.title")}</h1>
      <${Toolbar} board=${board} />
      <div class="board-told">
        <${StaleMark} since=${since} />
        ${answer ? html`<p class="total" role="status">${totalText(answer.body)}</p>` : null}
        <${Urgencies} board=${board} />
        <button type="button" class="quiet density" aria-pressed=${dense.value} onClick=${toggleDensity}>${t("board.dense")}</button>
      </div>
      ${board.question.value.view === "forgotten" && may("admin") && answer?.body.items.length ? html`<${Forgotten} board=${board} />` : null}
      <${Shown} board=${board} />
    </div>
  `;
}

function toggleDensity() {
  dense.value = !dense.value;
  localStorage.setItem(KEPT, dense.value ? "dense" : "cards");
}

/** @param {{total: number | null, total_more: boolean, items: unknown[]}} body */
function totalText({ total, total_more, items }) {
  return t("board.total", { n: total ?? items.length, more: total_more ? "+" : "" });
}

/** @param {{board: Board}} props */
function Shown({ board }) {
  const answer = board.it.answer.value;
  const error = board.it.error.value;
  // Another question's answer is no answer to this one.
  if (!answer || (error && !board.isAnswered())) return error ? html`<${Failure} error=${error} again=${() => board.it.refresh()} />` : html`<${Loading} />`;
  const items = board.items.value;
  if (!items.length) return html`<p class="nothing">${t(board.question.value.q ? "board.noMatch" : "board.nothing")}</p>`;
  return html`
    <${Grid}
      items=${items}
      id=${(/** @type {Ticket} */ one) => one.id}
      card=${(/** @type {Ticket} */ one) => html`<${Card} ticket=${one} board=${board} />`}
      height=${dense.value ? 9.4 : 12.2}
      least=${dense.value ? 19 : 21}
      label=${t("board.title")}
    />
    ${answer.body.next
      ? html`<button type="button" class="more" onClick=${() => (board.pages.value += 1)}>${t("board.more")}</button>`
      : null}
  `;
}
