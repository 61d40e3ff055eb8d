/** The wall's screen: a head with a clock, rows that are read from five metres, and a banner where all of it is old. */

import { html, useLayoutEffect, useRef } from "../../html.js";
import { Icon } from "../../parts/icon.js";
import { now } from "../../service/clock.js";
import { clinics, zoneOf } from "../../service/session.js";
import { standing } from "../../service/standing.js";
import { hourOf } from "../../service/times.js";
import { t } from "../../shell/text.js";
import { colour, StateMark } from "../../tickets/state-mark.js";
import { Countdown } from "../board/urgency.js";

/** @typedef {import("./state.js").WallState} WallState */
/** @typedef {import("./state.js").Displayed} Displayed */

const STATES = /** @type {const} */ (["critical", "warning", "normal", "scheduled", "overdue"]);

/** @param {{wall: WallState}} props */
export function Screen({ wall }) {
  const since = wall.it.staleSince.value;
  return html`
    <main id="main" class="wall" data-stale=${since !== null || undefined} tabindex="-1">
      <${Head} wall=${wall} />
      ${since !== null
        ? html`
            <p class="wall-old" role="alert">
              <${Icon} name="warning" />${t("wall.old", { hour: hourOf(since, zoneOf()) })} · ${t(`standing.${standing.value}`)}
            </p>
          `
        : null}
      <${Rows} wall=${wall} />
    </main>
  `;
}

/** @param {{wall: WallState}} props */
function Head({ wall }) {
  const all = wall.tickets.value;
  return html`
    <header class="wall-head">
      <h1>${clinics.value[0]?.name ?? t("wall.title")}</h1>
      <ul>
        ${STATES.map((state) => {
          const n = all.filter((one) => one.state === state).length;
          return n ? html`<li key=${state} data-state=${state}><b>${n}</b> ${t(`state.${state}`)}</li>` : null;
        })}
      </ul>
      ${wall.pages.value > 1 ? html`<span class="wall-page">${t("wall.page", { n: wall.page.value + 1, of: wall.pages.value })}</span>` : null}
      <time class="wall-clock">${hourOf(now.value, zoneOf())}</time>
    </header>
  `;
}

/** @param {{wall: WallState}} props */
function Rows({ wall }) {
  const list = useRef(/** @type {HTMLUListElement | null} */ (null));
  useLayoutEffect(() => {
    const element = /** @type {HTMLUListElement} */ (list.current);
    const sizes = new ResizeObserver(() => {
      const style = getComputedStyle(element);
      const row = parseFloat(style.getPropertyValue("--row")) * parseFloat(style.fontSize);
      const columns = style.gridTemplateColumns.split(" ").length;
      wall.fitting.value = Math.max(1, Math.floor(element.clientHeight / row)) * columns;
    });
    sizes.observe(element);
    return () => sizes.disconnect();
  }, [wall]);
  const shown = wall.tickets.value.slice(wall.page.value * wall.fitting.value, (wall.page.value + 1) * wall.fitting.value);
  return html`
    <ul ref=${list} class="wall-rows">
      ${shown.map((one) => html`<${Row} key=${one.id} ticket=${one} />`)}
      ${wall.it.answer.value && !shown.length ? html`<li class="nothing">${t("board.nothing")}</li>` : null}
    </ul>
  `;
}

/** @param {{ticket: Displayed}} props */
function Row({ ticket }) {
  return html`
    <li class="wall-row" data-state=${colour(ticket)}>
      <b class="wall-bed" data-long=${(ticket.bed_number ?? "").length > 6 ? "" : null}>${ticket.bed_number ?? "–"}</b>
      <span class="wall-who">${ticket.initials ?? "–"}<small>${ticket.location}</small></span>
      <span class="wall-sign">${ticket.ready ? html`<${Icon} name="check" />${t("board.ready")}` : html`<${StateMark} of=${ticket} />`}</span>
      <span class="wall-time"><${Countdown} of=${ticket} /><small>${ticket.block.label}</small></span>
    </li>
  `;
}
