/** What the board is asked: search, views with their counts, urgency, order, filters. */

import { html, useEffect, useRef, useSignal } from "../../html.js";
import { Icon } from "../../parts/icon.js";
import { useShortcuts } from "../../shell/shortcuts.js";
import { t } from "../../shell/text.js";
import { Filters } from "./filters.js";
import { FILTERS, SORTS, URGENCIES, VIEWS } from "./state.js";

/** @typedef {import("./state.js").Board} Board */

/** For which somebody types on before it is searched, milliseconds. */
const TYPING = 150;

/** @param {{board: Board}} props */
export function Toolbar({ board }) {
  const filtering = useSignal(false);
  const filters = FILTERS.filter((name) => board.question.value[name]).length;
  return html`
    <div class="toolbar" data-filtering=${filtering.value || undefined}>
      <div class="toolbar-row">
        <${Search} board=${board} />
        <button type="button" class="filter-button" aria-label=${t("board.filters")} aria-expanded=${filtering.value} onClick=${() => (filtering.value = !filtering.value)}>
          <${Icon} name="filter" /><span>${t("board.filters")}</span>${filters ? html`<b class="count">${filters}</b>` : null}
        </button>
        <label class="sort">
          <span class="for-ears">${t("board.sort")}</span>
          <select value=${board.question.value.sort ?? "urgency"} onChange=${(/** @type {any} */ event) => board.ask({ sort: event.target.value })}>
            ${SORTS.map((one) => html`<option key=${one} value=${one}>${t(`sort.${one}`)}</option>`)}
          </select>
        </label>
      </div>
      ${filtering.value ? html`<${Filters} board=${board} />` : null}
      <${Views} board=${board} />
    </div>
  `;
}

/** @param {{board: Board}} props */
function Search({ board }) {
  const input = useRef(/** @type {HTMLInputElement | null} */ (null));
  const timer = useRef(/** @type {ReturnType<typeof setTimeout> | undefined} */ (undefined));
  useEffect(() => () => clearTimeout(timer.current), []);
  useShortcuts([{ key: "/", does: "keys.search", run: () => input.current?.select() }]);
  const typed = (/** @type {any} */ event) => {
    clearTimeout(timer.current);
    const q = event.target.value.trim();
    timer.current = setTimeout(() => board.ask({ q }), TYPING);
  };
  return html`
    <div class="search" role="search">
      <${Icon} name="search" />
      <input
        ref=${input}
        type="search"
        aria-label=${t("board.search")}
        placeholder=${t("board.search")}
        aria-keyshortcuts="/"
        maxlength="200"
        value=${board.question.value.q ?? ""}
        onInput=${typed}
      />
    </div>
  `;
}

/** @param {{board: Board}} props */
function Views({ board }) {
  const counts = board.it.answer.value?.body.counts;
  const { view = "active" } = board.question.value;
  return html`
    <div class="views" role="group" aria-label=${t("board.views")}>
      ${VIEWS.map(
        (one) => html`
          <button
            key=${one}
            type="button"
            data-view=${one}
            aria-pressed=${one === view}
            onClick=${() => board.ask({ view: one === "active" ? null : one, urgency: null })}
          >
            ${t(`view.${one}`)}<b class="count">${counts?.[one] ?? "·"}</b>
          </button>
        `,
      )}
    </div>
  `;
}

/** How many are how urgent, and only those where one is pressed. @param {{board: Board}} props */
export function Urgencies({ board }) {
  const counts = board.it.answer.value?.body.counts;
  const { view = "active", urgency } = board.question.value;
  if (view !== "active") return null;
  return html`
    <div class="urgencies" role="group" aria-label=${t("board.urgency")}>
      ${URGENCIES.map(
        (one) => html`
          <button
            key=${one}
            type="button"
            data-state=${one}
            aria-pressed=${one === urgency}
            onClick=${() => board.ask({ urgency: one === urgency ? null : one })}
          >
            <i />${t(`state.${one}`)}<b class="count">${counts?.[one] ?? "·"}</b>
          </button>
        `,
      )}
    </div>
  `;
}
