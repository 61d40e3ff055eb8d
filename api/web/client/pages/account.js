/** One's own account: language and theme, where one is signed in, the password, signing out. */

import { html, useEffect, useMemo, useSignal } from "../html.js";
import { ask, confirmed, Dialog } from "../parts/dialog.js";
import { Form, TextField } from "../parts/form.js";
import { Loaded } from "../parts/states.js";
import { Table } from "../parts/table.js";
import { toast, toastFailure } from "../parts/toasts.js";
import { get, write } from "../service/api.js";
import { live } from "../service/live.js";
import { session, signOut } from "../service/session.js";
import { full } from "../service/times.js";
import { t, told } from "../shell/text.js";
import { theme, THEMES } from "../shell/theme.js";
import { Languages } from "./sign-in.js";

/** @typedef {import("../service/api.js").Schemas["OpenSession"]} OpenSession */

export function AccountPage() {
  const user = session.value?.user;
  return html`
    <div class="page">
      <header class="page-head">
        <div><h1>${t("account.title")}</h1><p>${user?.username} · ${told("role", user?.role ?? "")}</p></div>
        <div class="actions">
          <button type="button" onClick=${changePassword}>${t("account.password")}</button>
          <button type="button" class="primary" onClick=${() => signOut().catch(toastFailure)}>${t("account.signOut")}</button>
        </div>
      </header>
      <section class="panel two">
        <div><h2>${t("account.language")}</h2><${Languages} /></div>
        <div><h2>${t("account.theme")}</h2><${Themes} /></div>
      </section>
      <${Sessions} />
    </div>
  `;
}

function Themes() {
  return html`
    <div class="choice" role="group" aria-label=${t("account.theme")}>
      ${THEMES.map(
        (one) => html`
          <button key=${one} type="button" aria-pressed=${one === theme.value} onClick=${() => (theme.value = one)}>
            ${t(`theme.${one}`)}
          </button>
        `,
      )}
    </div>
  `;
}

function Sessions() {
  const sessions = useMemo(() => live([], (sent) => get("/v1/auth/sessions", sent)), []);
  useEffect(() => sessions.stop, []);
  const end = async (/** @type {OpenSession} */ one) => {
    await write("delete", "/v1/auth/sessions/{session_id}", { params: { session_id: one.id } });
    toast(t("account.sessionEnded"));
    sessions.refresh();
  };
  const endOthers = async () => {
    const sure = await confirmed({ title: t("account.endOthers"), text: t("account.endOthersText"), action: t("account.end"), danger: true });
    if (!sure) return;
    await write("delete", "/v1/auth/sessions");
    sessions.refresh();
  };
  const columns = [
    { label: t("account.client"), cell: (/** @type {OpenSession} */ one) => told("client", one.client) },
    { label: t("account.since"), cell: (/** @type {OpenSession} */ one) => full(one.created_at), number: true },
    { label: t("account.lastSeen"), cell: (/** @type {OpenSession} */ one) => full(one.last_seen_at), number: true },
    { label: t("account.address"), cell: (/** @type {OpenSession} */ one) => one.ip, number: true },
    {
      label: t("account.end"),
      cell: (/** @type {OpenSession} */ one) =>
        one.current
          ? html`<em>${t("account.thisOne")}</em>`
          : html`<button type="button" onClick=${() => end(one).catch(toastFailure)}>${t("account.end")}</button>`,
    },
  ];
  return html`
    <section class="panel">
      <header class="panel-head">
        <h2>${t("account.sessions")}</h2>
        <button type="button" onClick=${() => endOthers().catch(toastFailure)}>${t("account.endOthers")}</button>
      </header>
      <${Loaded} of=${sessions}>
        ${(/** @type {{items: OpenSession[]}} */ body) => html`
          <${Table} caption=${t("account.sessions")} columns=${columns} rows=${body.items} id=${(/** @type {OpenSession} */ one) => one.id} />
        `}
      </${Loaded}>
    </section>
  `;
}

function changePassword() {
  return ask((close) => html`<${PasswordDialog} close=${close} />`);
}

/** @param {{close: () => void}} props */
function PasswordDialog({ close }) {
  const current = useSignal("");
  const wanted = useSignal("");
  const submit = async () => {
    const body = { current_password: current.value, new_password: wanted.value };
    await write("put", "/v1/auth/password", { body });
    close();
    toast(t("account.passwordChanged"));
  };
  return html`
    <${Dialog} title=${t("account.password")} close=${close}>
      <${Form} submit=${submit} action=${t("account.password")} cancel=${close}>
        <${TextField} name="current_password" label=${t("account.currentPassword")} value=${current} type="password" autocomplete="current-password" first />
        <${TextField}
          name="new_password"
          label=${t("account.newPassword")}
          hint=${t("account.newPasswordHint")}
          value=${wanted}
          type="password"
          autocomplete="new-password"
        />
      </${Form}>
    </${Dialog}>
  `;
}
