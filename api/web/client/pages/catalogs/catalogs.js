/** The catalogs: surgeries, doctors, specialties, reasons, clinics and blocks, of a clinic or of the network. Superusers keep them. */

import { html, useEffect, useMemo, useState } from "../../html.js";
import { ask } from "../../parts/dialog.js";
import { Filters, SearchFilter } from "../../parts/filters.js";
import { Empty, Loaded } from "../../parts/states.js";
import { Table } from "../../parts/table.js";
import { toast, toastFailure } from "../../parts/toasts.js";
import { Turns } from "../../parts/turns.js";
import { get } from "../../service/api.js";
import { live } from "../../service/live.js";
import { count } from "../../service/numbers.js";
import { clinicName, may } from "../../service/session.js";
import { setQuery } from "../../shell/router.js";
import { useShortcuts } from "../../shell/shortcuts.js";
import { t } from "../../shell/text.js";
import { cellOf, clinicOf, KINDS, newTitle, titleOf } from "./kinds.js";
import { RowDialog } from "./row-dialog.js";
import { switched } from "./writing.js";

/** @typedef {import("./kinds.js").KindName} KindName */
/** @typedef {import("./kinds.js").Row} Row */
/** @typedef {import("./writing.js").List} List */

const NAMES = /** @type {KindName[]} */ (Object.keys(KINDS));
/** Rows of a page. */
const LIMIT = 50;

/** @param {{query: URLSearchParams}} props */
export function CatalogsPage({ query }) {
  const name = NAMES.find((one) => one === query.get("kind")) ?? "surgeries";
  const kind = KINDS[name];
  const filters = { q: query.get("q"), inactive: query.get("inactive") };
  const withInactive = Boolean(filters.inactive);
  const clinic = clinicOf(kind);
  const list = useMemo(() => live([kind.topic], (sent) => anyGet(kind.list, { ...sent, query: { clinic_id: clinic, include_inactive: withInactive } })), [name, clinic, withInactive]);
  useEffect(() => list.stop, [list]);
  const edit = (/** @type {Row | undefined} */ row) => void ask((close) => html`<${RowDialog} name=${name} row=${row} list=${list} close=${close} />`).then(saved(name, list));
  const keeps = Boolean(kind.row) && may("superuser");
  useShortcuts(keeps ? [{ key: "n", does: "keys.new", run: () => edit(undefined) }] : []);
  const inactive = (/** @type {any} */ event) => setQuery({ inactive: event.target.checked ? "true" : null });
  return html`
    <div class="page wide">
      <header class="page-head">
        <div><h1>${t("catalogs.title")}</h1>${may("superuser") ? null : html`<p>${t("catalogs.readOnly")}</p>`}</div>
        <div class="actions">
          ${may("superuser") ? html`<a class="button" href="/imports">${t("catalogs.fromFile")}</a>` : null}
          ${keeps ? html`<button type="button" class="primary" onClick=${() => edit(undefined)}>${newTitle(name)}</button>` : null}
        </div>
      </header>
      <nav class="kinds" aria-label=${t("catalogs.title")}>
        ${NAMES.map((one) => html`<a key=${one} class="button" href=${`/catalogs?kind=${one}`} aria-current=${one === name ? "page" : undefined}>${t(`catalogKind.${one}`)}</a>`)}
      </nav>
      <${Filters} values=${filters} first=${html`<${SearchFilter} value=${filters.q ?? ""} within=${t("catalogs.searchIn")} />`}>
        ${kind.row ? html`<label class="check"><input type="checkbox" name="inactive" checked=${withInactive} onChange=${inactive} />${t("catalogs.inactive")}</label>` : null}
      </${Filters}>
      <${Loaded} of=${list}>
        ${(/** @type {{items: Row[]}} */ { items }) => html`<${Rows} key=${name} kind=${kind} caption=${t(`catalogKind.${name}`)} items=${items} q=${filters.q ?? ""} columns=${columnsOf(name, withInactive, keeps ? { edit, list } : null)} />`}
      </${Loaded}>
    </div>
  `;
}

/** @param {{kind: import("./kinds.js").Kind, caption: string, items: Row[], q: string, columns: import("../../parts/table.js").Column<Row>[]}} props */
function Rows({ kind, caption, items, q, columns }) {
  const [page, setPage] = useState(0);
  useEffect(() => setPage(0), [q]);
  const found = useMemo(() => items.filter(matches(kind, q)), [items, q]);
  const last = Math.max(0, Math.ceil(found.length / LIMIT) - 1);
  const at = Math.min(page, last);
  return html`
    <p class="list-total" role="status" data-total=${found.length}>${t("catalogs.total", { n: found.length, total: count(found.length) })}</p>
    ${found.length
      ? html`<${Table} caption=${caption} columns=${columns} rows=${found.slice(at * LIMIT, (at + 1) * LIMIT)} id=${idOf} />`
      : html`<${Empty} title=${t("catalogs.none")} />`}
    <${Turns} page=${at + 1} back=${at ? () => setPage(at - 1) : null} forward=${at < last ? () => setPage(at + 1) : null} />
  `;
}

/** Of whatever path of KINDS. @type {(path: string, sent: object) => Promise<import("../../service/api.js").Answer<{items: Row[]}>>} */
const anyGet = /** @type {any} */ (get);

/** @param {Row} row a block has no id */
const idOf = (row) => row.id ?? row["end_hour"];

/** In any spelling, with accents and dots or without. @param {unknown} text */
const folded = (text) => String(text).normalize("NFD").replace(/[\p{M}.]/gu, "").toLowerCase();

/** @param {import("./kinds.js").Kind} kind @param {string} q @returns {(row: Row) => boolean} whether each of its words is in the row */
function matches(kind, q) {
  const words = folded(q).split(/\s+/);
  return (row) => {
    const text = folded(kind.columns.filter((one) => one.holds !== "flag").map((one) => cellOf(one, row)).join(" "));
    return words.every((one) => text.includes(one));
  };
}

/** @param {KindName} name @param {List} list @returns {(answer: any) => void} what is done once a dialog is closed */
function saved(name, list) {
  return (answer) => {
    if (!answer) return;
    list.refresh(answer.versions);
    toast(t("catalogs.saved", { name: titleOf(KINDS[name], answer.body) }));
  };
}

/**
 * @param {KindName} name
 * @param {boolean} withState  Whether rows out of use are among them.
 * @param {{edit: (row: Row) => void, list: List} | null} kept  By who looks at it, or not.
 * @returns {import("../../parts/table.js").Column<Row>[]}
 */
function columnsOf(name, withState, kept) {
  const kind = KINDS[name];
  const [first, ...others] = kind.columns.map((one) => ({
    label: t(/** @type {any} */ (`catalogField.${one.name}`)),
    cell: (/** @type {Row} */ row) => cellOf(one, row),
    number: one.holds === "whole",
  }));
  const title = (/** @type {Row} */ row) => {
    const called = titleOf(kind, row);
    return kept ? html`<button type="button" class="opens" aria-label=${t("catalogs.changeOne", { name: called })} onClick=${() => kept.edit(row)}>${called}</button>` : called;
  };
  const ofNetwork = kind.topic === "catalogs" && may("superuser") && clinicOf(kind) === null;
  return [
    { label: first?.label ?? "", cell: title },
    ...(ofNetwork ? [{ label: t("column.clinic"), cell: (/** @type {Row} */ row) => clinicName(Number(row.clinic_id)) }] : []),
    ...others,
    ...(withState ? [{ label: t("catalogs.state"), cell: stateCell }] : []),
    ...(kept ? [{ label: t("catalogs.use"), cell: (/** @type {Row} */ row) => switchCell(name, row, kept.list) }] : []),
  ];
}

/** @param {Row} row */
const stateCell = (row) => (row.is_active ? null : html`<span class="state-mark" data-state="annulled">${t("catalogs.outOfUse")}</span>`);

/** @param {KindName} name @param {Row} row @param {List} list */
function switchCell(name, row, list) {
  const word = row.is_active ? "off" : "on";
  const called = t(`catalogSwitchOne.${word}`, { name: titleOf(KINDS[name], row) });
  return html`<button type="button" class="quiet" aria-label=${called} onClick=${() => switched(name, row, list).catch(toastFailure)}>${t(`catalogSwitch.${word}`)}</button>`;
}
