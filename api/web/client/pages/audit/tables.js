/** The two trails as tables. A name leads to all that is known of it, a ticket to its page. */

import { html } from "../../html.js";
import { Changes } from "../../parts/changes.js";
import { Table } from "../../parts/table.js";
import { address } from "../../service/api.js";
import { chosenClinic, clinicName, may } from "../../service/session.js";
import { full } from "../../service/times.js";
import { t, told } from "../../shell/text.js";

/** @typedef {import("../../service/api.js").Schemas["ActionEntry"]} Action */
/** @typedef {import("../../service/api.js").Schemas["LoginEntry"]} Login */

/** So many changes of one row are shown before they are folded. */
const SHOWN = 3;

/** @param {{rows: Action[]}} props */
export function ActionTable({ rows }) {
  const columns = [
    { label: t("audit.at"), cell: atCell },
    { label: t("audit.who"), cell: (/** @type {Action} */ one) => whoCell(one, "actions", one.ip) },
    ...clinicColumn(),
    { label: t("audit.action"), cell: (/** @type {Action} */ one) => html`<strong>${told("did", one.action.replace(".", "_"))}</strong>`, onPhone: /** @type {const} */ ("bare") },
    { label: t("audit.target"), cell: targetCell },
    {
      label: t("audit.changes"),
      cell: (/** @type {Action} */ one) => html`<div class="changes"><${Changes} changes=${/** @type {any} */ (one.changes)} whole most=${SHOWN} /></div>`,
      onPhone: /** @type {const} */ ("bare"),
    },
  ];
  return html`<${Table} caption=${t("audit.actions")} columns=${columns} rows=${rows} id=${(/** @type {Action} */ one) => one.id} />`;
}

/** @param {{rows: Login[]}} props */
export function LoginTable({ rows }) {
  const columns = [
    { label: t("audit.at"), cell: atCell },
    { label: t("audit.who"), cell: (/** @type {Login} */ one) => whoCell(one, "logins", null) },
    ...clinicColumn(),
    { label: t("audit.outcome"), cell: outcomeCell },
    { label: t("account.client"), cell: (/** @type {Login} */ one) => told("client", one.client) },
    { label: t("account.address"), cell: (/** @type {Login} */ one) => html`<span class="two-lines">${one.ip ?? "–"}<small class="broken browser">${one.user_agent}</small></span>` },
  ];
  return html`<${Table} caption=${t("audit.logins")} columns=${columns} rows=${rows} id=${(/** @type {Login} */ one) => one.id} />`;
}

/** @param {any} main @param {any} more */
const two = (main, more) => html`<span class="two-lines">${main}${more ? html`<small>${more}</small>` : null}</span>`;

/** Of the network, whose clinic it was. */
function clinicColumn() {
  if (!may("superuser") || chosenClinic.value !== null) return [];
  const cell = (/** @type {{clinic_id: number | null}} */ one) => (one.clinic_id === null ? html`<em>${t("frame.network")}</em>` : clinicName(one.clinic_id));
  return [{ label: t("frame.clinic"), cell }];
}

/** @param {{at: string}} one */
function atCell({ at }) {
  return html`<span class="whole">${full(at)}:${at.slice(17, 19)}</span>`;
}

/** @param {{username: string}} one @param {"actions" | "logins"} trail @param {string | null} ip */
function whoCell({ username: user }, trail, ip) {
  const all = address("/audit", { query: { trail: trail === "logins" ? trail : null, user } });
  return two(html`<a class="whole" href=${all}>${user}</a>`, ip);
}

/** @param {Action} one */
function targetCell({ target_type: kind, target_id: id }) {
  const to = kind === "ticket" ? `/tickets/${encodeURIComponent(id)}` : address("/audit", { query: { target: `${kind}/${id}` } });
  return two(html`<a class="whole" href=${to}>${id}</a>`, told("target", kind));
}

/** @param {Login} one */
function outcomeCell({ succeeded, outcome }) {
  return html`<span class="state" data-state=${succeeded ? "warning-low" : "critical"}>${told("outcome", outcome)}</span>`;
}
