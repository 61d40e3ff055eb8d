/** The discharge curve: whose FPA lies in each of the next 48 hours. Bars to see, and the same as a table. */

import { html } from "../../html.js";
import { count } from "../../service/numbers.js";
import { day, hour } from "../../service/times.js";
import { navigate } from "../../shell/router.js";
import { t } from "../../shell/text.js";
import { listOf } from "./figures.js";

/** @typedef {import("./figures.js").Filters} Filters */
/** @typedef {{hour: string, discharges: number}} Hour */

const [STEP, TALL, FLOOR, WIDTH] = [20, 120, 150, 960];
/** As a day's name is at most. */
const DAY_WIDE = 110;
/** Every so many hours one is named. */
const NAMED = 3;

/** @param {{hours: Hour[], filters: Filters}} props */
export function Curve({ hours, filters }) {
  const most = hours.reduce((found, one) => (one.discharges > found.discharges ? one : found), hours[0] ?? { hour: "", discharges: 0 });
  const total = hours.reduce((sum, one) => sum + one.discharges, 0);
  const told = total ? t("curve.told", { n: total, most: most.discharges, day: day(most.hour), hour: hour(most.hour) }) : t("curve.none");
  return html`
    <section class="panel curve">
      <header class="panel-head"><h2>${t("curve.title")}</h2><p>${told}</p></header>
      <div class="scrolled" tabindex="0" role="region" aria-label=${t("curve.title")}>
        <svg class="chart" viewBox=${`0 0 ${WIDTH} 190`} role="img" aria-label=${told}>
          <line class="floor" x1="0" y1=${FLOOR} x2=${WIDTH} y2=${FLOOR} />
          ${hours.map((one, at) => html`<${Bar} key=${one.hour} one=${one} at=${at} most=${most.discharges} filters=${filters} />`)}
        </svg>
      </div>
      <details>
        <summary>${t("curve.asTable")}</summary>
        <${HourTable} hours=${hours} filters=${filters} />
      </details>
    </section>
  `;
}

/** @param {{one: Hour, at: number, most: number, filters: Filters}} props */
function Bar({ one, at, most, filters }) {
  const tall = most ? Math.round((TALL * one.discharges) / most) : 0;
  const local = Number(one.hour.slice(11, 13));
  const begins = at === 0 || local === 0;
  const room = at === 0 ? (24 - local) * STEP : WIDTH - at * STEP;
  const open = () => one.discharges && navigate(listOf(filters, { figure: "hour", at: one.hour }));
  return html`
    <g transform=${`translate(${at * STEP} 0)`}>
      ${begins
        ? html`
            <line class="midnight" x1="0.5" y1="14" x2="0.5" y2="186" />
            <text class="day" x="5" y="184">${room < DAY_WIDE ? "" : day(one.hour)}</text>
          `
        : null}
      ${one.discharges
        ? html`
            <rect class="bar" data-hour=${one.hour} x="3" y=${FLOOR - tall} width="14" height=${tall} rx="2" onClick=${open} />
            <text class="value" x="10" y=${FLOOR - tall - 5}>${count(one.discharges)}</text>
          `
        : null}
      ${local % NAMED === 0 ? html`<text class="hour" x="10" y="166">${hour(one.hour).slice(0, 2)}</text>` : null}
    </g>
  `;
}

/** @param {{hours: Hour[], filters: Filters}} props */
function HourTable({ hours, filters }) {
  return html`
    <table>
      <caption class="for-ears">${t("curve.title")}</caption>
      <thead><tr><th scope="col">${t("curve.hour")}</th><th scope="col" class="number">${t("curve.discharges")}</th></tr></thead>
      <tbody>
        ${hours.map(
          (one) => html`
            <tr key=${one.hour}>
              <th scope="row">${day(one.hour)}, ${hour(one.hour)}</th>
              <td class="number">
                <a data-figure="hour" data-hour=${one.hour} href=${listOf(filters, { figure: "hour", at: one.hour })}>${count(one.discharges)}</a>
              </td>
            </tr>
          `,
        )}
      </tbody>
    </table>
  `;
}
