/** Hits, misses and sizes, per policy and tier. */

import { html } from "../../html.js";
import { Table } from "../../parts/table.js";
import { bytes, count, rate } from "../../service/numbers.js";
import { t, told } from "../../shell/text.js";

/** @typedef {import("../../service/api.js").Schemas["PolicyTier"]} PolicyTier */
/** @typedef {"hits" | "misses" | "collapsed" | "stale" | "errors" | "entries"} Counted */

/** @param {{rows: PolicyTier[]}} props */
export function Policies({ rows }) {
  const counted = (/** @type {Counted} */ name) => ({
    label: t(`policies.${name}`),
    cell: (/** @type {PolicyTier} */ one) => count(one[name]),
    number: true,
  });
  const columns = [
    { label: t("policies.policy"), cell: (/** @type {PolicyTier} */ one) => html`<strong>${one.policy}</strong>` },
    { label: t("policies.tier"), cell: (/** @type {PolicyTier} */ one) => told("tier", one.tier) },
    { label: t("policies.rate"), cell: (/** @type {PolicyTier} */ one) => rate(one.hit_rate), number: true },
    counted("hits"),
    counted("misses"),
    counted("collapsed"),
    counted("stale"),
    counted("errors"),
    counted("entries"),
    { label: t("policies.size"), cell: (/** @type {PolicyTier} */ one) => bytes(one.bytes), number: true },
  ];
  return html`
    <section class="panel policies">
      <header><h2>${t("policies.title")}</h2><p>${t("policies.text")}</p></header>
      <${Table} caption=${t("policies.title")} columns=${columns} rows=${rows} id=${(/** @type {PolicyTier} */ one) => `${one.policy}/${one.tier}`} />
    </section>
  `;
}
