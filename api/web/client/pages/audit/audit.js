/** The audit: who signed in and who failed to, and who did what, with values before and after. */

import { html, useEffect, useMemo } from "../../html.js";
import { ChoiceFilter, DateFilter, Filters, TypedFilter } from "../../parts/filters.js";
import { Empty, Loaded, ReadAt } from "../../parts/states.js";
import { Turns, useTurns } from "../../parts/turns.js";
import { get } from "../../service/api.js";
import { live } from "../../service/live.js";
import { chosenClinic } from "../../service/session.js";
import { setQuery } from "../../shell/router.js";
import { t, told, wordsOf } from "../../shell/text.js";
import { ActionTable, LoginTable } from "./tables.js";

/** @typedef {"actions" | "logins"} Trail */
/** @typedef {NonNullable<import("../../service/contract.d.ts").QueryOf<"/v1/audit/actions", "get">>} Query */

const TRAILS = /** @type {const} */ (["actions", "logins"]);
const LIMIT = 50;
/** What is searched by, by its name in the address and in the API; sign-ins have no target. */
const NAMES = { actions: ["user", "action", "target", "from", "to"], logins: ["user", "action", "from", "to"] };

/** @param {{query: URLSearchParams}} props */
export function AuditPage({ query }) {
  const trail = query.get("trail") === "logins" ? "logins" : "actions";
  const filters = Object.fromEntries(NAMES[trail].map((name) => [name, query.get(name)]));
  const asked = /** @type {Query} */ ({ ...filters, clinic_id: chosenClinic.value, limit: LIMIT });
  const choose = (/** @type {Trail} */ one) => setQuery({ trail: one === "logins" ? one : null, action: null, target: null });
  return html`
    <div class="page wide">
      <header class="page-head">
        <h1>${t("audit.title")}</h1>
        <div class="choice" role="group" aria-label=${t("audit.trail")}>
          ${TRAILS.map((one) => html`<button key=${one} type="button" aria-pressed=${one === trail} onClick=${() => choose(one)}>${t(`audit.${one}`)}</button>`)}
        </div>
      </header>
      <${AuditFilters} trail=${trail} filters=${filters} />
      <${Listed} key=${trail + JSON.stringify(asked)} trail=${trail} asked=${asked} />
    </div>
  `;
}

/** @param {{trail: Trail, filters: Record<string, string | null>}} props */
function AuditFilters({ trail, filters }) {
  const did = wordsOf("did").map((word) => ({ value: word.replace("_", "."), label: told("did", word), of: told("target", word.split("_")[0] ?? "") }));
  const outcomes = wordsOf("outcome").map((value) => ({ value, label: told("outcome", value) }));
  const user = html`<${TypedFilter} name="user" label=${t("audit.user")} value=${filters.user ?? ""} within=${t("audit.userHint")} searches />`;
  return html`
    <${Filters} values=${filters} first=${user}>
      <${ChoiceFilter}
        name="action"
        label=${t(trail === "logins" ? "audit.outcome" : "audit.action")}
        value=${filters.action ?? null}
        options=${trail === "logins" ? outcomes : did}
        every=${t("audit.every")}
      />
      ${trail === "logins" ? null : html`<${TypedFilter} name="target" label=${t("audit.target")} value=${filters.target ?? ""} within=${t("audit.targetHint")} />`}
      <${DateFilter} name="from" label=${t("audit.from")} value=${filters.from ?? null} max=${filters.to} />
      <${DateFilter} name="to" label=${t("audit.to")} value=${filters.to ?? null} min=${filters.from} />
    </${Filters}>
  `;
}

/** Rows are only ever added: a page that is turned stays as it was. @param {{trail: Trail, asked: Query}} props */
function Listed({ trail, asked }) {
  const turns = useTurns();
  const { cursor } = turns;
  const rows = useMemo(() => live([], (sent) => get(`/v1/audit/${trail}`, { ...sent, query: { ...asked, cursor } })), [cursor]);
  useEffect(() => rows.stop, [rows]);
  const table = trail === "logins" ? LoginTable : ActionTable;
  return html`
    <${ReadAt} of=${rows} />
    <${Loaded} of=${rows}>
      ${(/** @type {{items: any[]}} */ { items }) => (items.length ? html`<${table} rows=${items} />` : html`<${Empty} title=${t("audit.none")} />`)}
    </${Loaded}>
    <${Turns} ...${turns.ways(rows.answer.value?.body.next)} />
  `;
}
