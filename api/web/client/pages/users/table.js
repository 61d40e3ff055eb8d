/** A page of users, and what may be done to each. */

import { html } from "../../html.js";
import { Icon } from "../../parts/icon.js";
import { Menu } from "../../parts/menu.js";
import { Table } from "../../parts/table.js";
import { chosenClinic, clinicName, may, session } from "../../service/session.js";
import { full } from "../../service/times.js";
import { t, told } from "../../shell/text.js";
import { useMethods } from "./change.js";
import { changeUser } from "./dialogs.js";
import { verbsOf } from "./verbs.js";

/** @typedef {import("./users.js").User} User */

/** @param {{users: User[], changed: () => void}} props */
export function UserTable({ users, changed }) {
  const methods = useMethods();
  const ofNetwork = may("superuser") && chosenClinic.value === null;
  const actions = (/** @type {User} */ user) => {
    if (!isBelow(user)) return null;
    const verbs = verbsOf(user, methods.value, changed);
    return html`
      <div class="row-actions">
        <button type="button" aria-label=${t("users.changeOf", { name: user.username })} onClick=${() => changeUser(user, changed)}>${t("users.change")}</button>
        ${verbs.length
          ? html`
              <${Menu} label=${html`<${Icon} name="more" />`} name=${t("users.moreOf", { name: user.username })}>
                ${verbs.map(({ name, act, danger }) => html`<button key=${name} type="button" class=${danger ? "danger-text" : ""} onClick=${act}>${t(name)}</button>`)}
              </${Menu}>
            `
          : null}
      </div>
    `;
  };
  const columns = [
    { label: t("users.user"), cell: nameCell, onPhone: /** @type {const} */ ("bare") },
    { label: t("users.role"), cell: (/** @type {User} */ one) => told("role", one.role) },
    ...(ofNetwork ? [{ label: t("frame.clinic"), cell: (/** @type {User} */ one) => (one.clinic_id === null ? "–" : clinicName(one.clinic_id)) }] : []),
    { label: t("users.access"), cell: accessCell },
    { label: t("users.created"), cell: (/** @type {User} */ one) => full(one.created_at), number: true, onPhone: /** @type {const} */ ("left-out") },
    { label: t("users.actions"), cell: actions, onPhone: /** @type {const} */ ("bare") },
  ];
  return html`<${Table} caption=${t("users.title")} columns=${columns} rows=${users} id=${(/** @type {User} */ one) => one.id} />`;
}

/** Whether who is signed in administers them. @param {User} user */
function isBelow({ role }) {
  return may("superuser") || role === "viewer" || role === "clinical";
}

/** @param {User} user */
function nameCell({ id, username, email }) {
  const own = id === session.value?.user.id;
  return html`<span class="two-lines"><strong>${own ? t("users.you", { name: username }) : username}</strong><small class="broken">${email}</small></span>`;
}

/** @param {User} user */
function accessCell({ is_active: active, sso_only: ssoOnly }) {
  return html`
    <span class="two-lines">
      <span class="state" data-state=${active ? "warning-low" : "annulled"}>${told("access", String(active))}</span>
      ${ssoOnly ? html`<small>${t("users.ssoOnly")}</small>` : null}
    </span>
  `;
}
