/** The dialogs by which users are made and changed, and get a password. */

import { html, useSignal } from "../../html.js";
import { ask, Dialog } from "../../parts/dialog.js";
import { Field, Form, SelectField, TextField } from "../../parts/form.js";
import { handedOver } from "../../parts/handed-over.js";
import { toast, toastFailure } from "../../parts/toasts.js";
import { Problem, write } from "../../service/api.js";
import { chosenClinic, clinics, may, ROLES, session } from "../../service/session.js";
import { t, told } from "../../shell/text.js";
import { patch, useMethods } from "./change.js";

/** @typedef {import("./users.js").User} User */
/** @typedef {import("../../service/session.js").Role} Role */
/** @typedef {import("../../html.js").Signal<string>} Typed */

/** What is easily read aloud and typed: no letters that look like digits, and no vowels, so no words. */
const LETTERS = "bcdfghjkmnpqrtvwxyz2346789";
const GROUPS = 4;

/** Four groups of four letters: nobody guesses it. */
function random() {
  // Of 256 values the last ones are left out, or the first letters would come more often.
  const fair = 256 - (256 % LETTERS.length);
  const numbers = [];
  while (numbers.length < 4 * GROUPS) numbers.push(...crypto.getRandomValues(new Uint8Array(32)).filter((one) => one < fair));
  const letters = numbers.map((one) => LETTERS[one % LETTERS.length]);
  return Array.from({ length: GROUPS }, (_, at) => letters.slice(4 * at, 4 * at + 4).join("")).join("-");
}

/** @param {() => void} changed */
export function newUser(changed) {
  return ask((close) => html`<${NewUser} close=${close} changed=${changed} />`);
}

/** @param {User} user @param {() => void} changed */
export function changeUser(user, changed) {
  return ask((close) => html`<${ChangeUser} user=${user} close=${close} changed=${changed} />`);
}

/** @param {User} user @param {() => void} changed */
export function newPassword(user, changed) {
  return ask((close) => html`<${NewPassword} user=${user} close=${close} changed=${changed} />`);
}

/** @param {User} [user] */
function useTyped(user) {
  return {
    username: useSignal(user?.username ?? ""),
    email: useSignal(user?.email ?? ""),
    role: useSignal(/** @type {string} */ (user?.role ?? "clinical")),
    clinic: useSignal(String((user ? user.clinic_id : chosenClinic.value) ?? "")),
  };
}

/** As the API takes it. @param {ReturnType<typeof useTyped>} typed */
function bodyOf({ username, email, role, clinic }) {
  const own = session.value?.user.clinic_id ?? null;
  const chosen = role.value === "superuser" ? null : Number(clinic.value) || null;
  return { username: username.value.trim(), email: email.value.trim(), role: /** @type {Role} */ (role.value), clinic_id: may("superuser") ? chosen : own };
}

/** @param {{typed: ReturnType<typeof useTyped>}} props */
function Fields({ typed: { username, email, role, clinic } }) {
  const roles = ROLES.filter((one) => may("superuser") || one === "viewer" || one === "clinical");
  const all = clinics.value.filter((one) => one.is_active || String(one.id) === clinic.value);
  const options = [{ value: "", label: t("newTicket.chooseClinic") }, ...all.map((one) => ({ value: String(one.id), label: one.name }))];
  return html`
    <${TextField} name="username" label=${t("users.username")} hint=${t("users.usernameHint")} value=${username} maxlength=${80} first />
    <${TextField} name="email" type="email" label=${t("users.email")} value=${email} maxlength=${254} />
    <${SelectField} name="role" label=${t("users.role")} hint=${told("roleMay", role.value)} value=${role} options=${roles.map((value) => ({ value, label: told("role", value) }))} />
    ${may("superuser") && role.value !== "superuser"
      ? html`<${SelectField} name="clinic_id" label=${t("frame.clinic")} value=${clinic} options=${options} />`
      : null}
  `;
}

/** A user name or an email that somebody has is told at both: the service does not say which. @param {unknown} error @returns {never} */
function atFields(error) {
  if (!(error instanceof Problem && error.code === "duplicate")) throw error;
  const errors = ["username", "email"].map((path) => ({ path, code: "taken", message: error.message }));
  throw new Problem(error.status, { ...error.told, errors }, null);
}

/** @param {{close: () => void, changed: () => void}} props */
function NewUser({ close, changed }) {
  const methods = useMethods();
  const typed = useTyped();
  const way = useSignal("password");
  const password = useSignal(random());
  const submit = async () => {
    const given = way.value === "password" ? password.value : null;
    const { body } = await write("post", "/v1/users", { body: { ...bodyOf(typed), password: given } }).catch(atFields);
    close();
    changed();
    if (given === null) toast(t("users.made", { name: body.username }));
    else handOver(body, given, t("users.made", { name: body.username }));
  };
  const ways = [{ value: "password", label: t("users.byPassword") }, { value: "sso", label: t("users.bySso") }];
  return html`
    <${Dialog} title=${t("users.new")} close=${close}>
      <${Form} action=${t("users.make")} cancel=${close} submit=${submit}>
        <${Fields} typed=${typed} />
        ${methods.value?.sso ? html`<${SelectField} name="way" label=${t("users.way")} value=${way} options=${ways} />` : null}
        ${way.value === "password" ? html`<${PasswordField} value=${password} />` : null}
      </${Form}>
    </${Dialog}>
  `;
}

/** @param {{user: User, close: () => void, changed: () => void}} props */
function ChangeUser({ user, close, changed }) {
  const typed = useTyped(user);
  const body = bodyOf(typed);
  const names = /** @type {(keyof typeof body)[]} */ (Object.keys(body)).filter((name) => body[name] !== user[name]);
  const only = (/** @type {any} */ of) => Object.fromEntries(names.map((name) => [name, of[name]]));
  const submit = async () => {
    if (names.length) {
      await patch(user, only(body)).catch(atFields);
      const back = () => void patch(user, only(user)).then(changed, (error) => toastFailure(error, changed));
      toast(t("users.changed", { name: body.username }), back);
      changed();
    }
    close();
  };
  const ends = names.includes("role") || names.includes("clinic_id");
  return html`
    <${Dialog} title=${t("users.changeOf", { name: user.username })} close=${close}>
      <${Form} of=${user.id} action=${t("dialog.save")} cancel=${close} submit=${submit}>
        <${Fields} typed=${typed} />
        ${ends ? html`<p class="notice" role="status">${t("users.ends")}</p>` : null}
      </${Form}>
    </${Dialog}>
  `;
}

/** @param {{user: User, close: () => void, changed: () => void}} props */
function NewPassword({ user, close, changed }) {
  const password = useSignal(random());
  const submit = async () => {
    await patch(user, { password: password.value });
    close();
    changed();
    handOver(user, password.value, t("users.newPasswordOf", { name: user.username }));
  };
  return html`
    <${Dialog} title=${t("users.newPasswordOf", { name: user.username })} close=${close}>
      <${Form} action=${t("dialog.save")} cancel=${close} submit=${submit}>
        <p>${t("users.newPasswordText")}</p>
        <${PasswordField} value=${password} />
      </${Form}>
    </${Dialog}>
  `;
}

/** Read by whoever hands it over, and kept by no browser. @param {{value: Typed}} props */
function PasswordField({ value }) {
  return html`
    <${Field} name="password" label=${t("signIn.password")} hint=${t("users.passwordHint")}>
      ${(/** @type {import("../../parts/form.js").Given} */ { id, described, invalid }) => html`
        <div class="with-button">
          <input id=${id} name="password" class="secret" value=${value.value} autocomplete="off" spellcheck=${false} maxlength="1024" aria-describedby=${described} aria-invalid=${invalid || undefined} onInput=${(/** @type {any} */ event) => (value.value = event.target.value)} />
          <button type="button" onClick=${() => (value.value = random())}>${t("users.another")}</button>
        </div>
      `}
    </${Field}>
  `;
}

/** @param {{username: string}} user @param {string} password @param {string} title */
function handOver({ username }, password, title) {
  handedOver({ title, text: t("users.handOver"), facts: [[t("users.username"), username], [t("signIn.password"), password]] });
}
