/** What changed, as the audit and a ticket's history have it: of each field its value before and after. */

import { html } from "../html.js";
import { clinicName } from "../service/session.js";
import { dayAndHour } from "../service/times.js";
import { t, told } from "../shell/text.js";

/** @typedef {Record<string, [before: unknown, after: unknown]>} Changed */

/**
 * @param {{changes: Changed, whole?: boolean, most?: number}} props  `whole`: with the ids of what it points at, which say
 *   nothing to who knows the names; of more than `most` the rest is folded away.
 */
export function Changes({ changes, whole = false, most = Infinity }) {
  const all = Object.entries(changes).filter(([name]) => whole || !name.endsWith("_id") || name === "episode_id");
  if (!all.length) return null;
  const listed = (/** @type {typeof all} */ some) => html`<ul>${some.map(([name, values]) => html`<${Change} key=${name} name=${name} values=${values} />`)}</ul>`;
  const rest = all.slice(most);
  return html`
    ${listed(all.slice(0, most))}
    ${rest.length ? html`<details><summary>${t("change.more", { n: rest.length })}</summary>${listed(rest)}</details>` : null}
  `;
}

/** @param {{name: string, values: [unknown, unknown]}} props */
function Change({ name, values: [before, after] }) {
  return html`
    <li><span>${told("change", name)}:</span> ${before === null ? null : html`<del>${shown(name, before)}</del> `}${after === null ? (before === null ? "–" : null) : html`<ins>${shown(name, after)}</ins>`}</li>
  `;
}

/** @param {string} name @param {unknown} value of that column @returns {string} */
function shown(name, value) {
  if (typeof value === "string" && /^\d{4}-\d\d-\d\dT/.test(value)) return dayAndHour(value);
  if (typeof value === "boolean") return t(value ? "timeline.yes" : "timeline.no");
  if (typeof value === "object" && value !== null) return Object.values(value).filter((one) => typeof one !== "object").join(" ") || "–";
  if (name === "clinic_id") return clinicName(Number(value));
  return told(name === "role" ? "role" : "status", String(value));
}
