/** Users: an admin those of its clinic, a superuser all. No event tells of them, so the list says when it was read. */

import { html, useEffect, useMemo, useSignal } from "../../html.js";
import { ChoiceFilter, Filters, SearchFilter } from "../../parts/filters.js";
import { Icon } from "../../parts/icon.js";
import { Empty, Loaded, ReadAt } from "../../parts/states.js";
import { Turns, useTurns } from "../../parts/turns.js";
import { get } from "../../service/api.js";
import { live } from "../../service/live.js";
import { chosenClinic, ROLES } from "../../service/session.js";
import { t, told } from "../../shell/text.js";
import { newUser } from "./dialogs.js";
import { UserTable } from "./table.js";

/** @typedef {import("../../service/api.js").Schemas["UserItem"]} User */
/** @typedef {import("../../service/api.js").Schemas["UserList"]} UserList */
/** @typedef {NonNullable<import("../../service/contract.d.ts").QueryOf<"/v1/users", "get">>} Query */

const LIMIT = 50;

/** @param {{query: URLSearchParams}} props */
export function UsersPage({ query }) {
  const changes = useSignal(0);
  const changed = () => (changes.value += 1);
  const filters = Object.fromEntries(["q", "role", "is_active"].map((name) => [name, query.get(name)]));
  const asked = /** @type {Query} */ ({ ...filters, clinic_id: chosenClinic.value, limit: LIMIT });
  const access = ["true", "false"].map((value) => ({ value, label: told("access", value) }));
  return html`
    <div class="page wide">
      <header class="page-head">
        <h1>${t("users.title")}</h1>
        <button type="button" class="primary" onClick=${() => newUser(changed)}><${Icon} name="add" />${t("users.new")}</button>
      </header>
      <${Filters} values=${filters} first=${html`<${SearchFilter} value=${filters.q ?? ""} within=${t("users.searchIn")} />`}>
        <${ChoiceFilter} name="role" label=${t("users.role")} value=${filters.role ?? null} options=${ROLES.map((value) => ({ value, label: told("role", value) }))} every=${t("users.everyRole")} />
        <${ChoiceFilter} name="is_active" label=${t("users.access")} value=${filters.is_active ?? null} options=${access} every=${t("users.everyAccess")} />
      </${Filters}>
      <${Listed} key=${JSON.stringify(asked)} asked=${asked} changes=${changes} changed=${changed} />
    </div>
  `;
}

/** @param {{asked: Query, changes: import("../../html.js").Signal<number>, changed: () => void}} props */
function Listed({ asked, changes, changed }) {
  const turns = useTurns();
  const { cursor } = turns;
  const users = useMemo(
    () =>
      live([], (sent) => {
        changes.value; // read anew after each
        return get("/v1/users", { ...sent, query: { ...asked, cursor } });
      }),
    [cursor],
  );
  useEffect(() => users.stop, [users]);
  return html`
    <${ReadAt} of=${users} />
    <${Loaded} of=${users}>
      ${(/** @type {UserList} */ { items }) =>
        items.length ? html`<${UserTable} users=${items} changed=${changed} />` : html`<${Empty} title=${t("users.none")} />`}
    </${Loaded}>
    <${Turns} ...${turns.ways(users.answer.value?.body.next)} />
  `;
}
