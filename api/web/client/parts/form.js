/**
 * Forms: what is typed stays whatever happens, also where the session ends (service/drafts.js), and what the service
 * refuses stands at the field that it is about.
 * A field's `name` is its path in the request's body, such as `patient.age`.
 */

import { createContext, html, useContext, useEffect, useId, useMemo, useState } from "../html.js";
import { drafted, draftOf } from "../service/drafts.js";
import { fieldTexts, problemText } from "../service/problems.js";
import { t } from "../shell/text.js";

const Refused = createContext(/** @type {Record<string, string>} */ ({}));
/** What a form is called among drafts. */
const Draft = createContext("");

/**
 * @param {object} props
 * @param {() => Promise<unknown>} props.submit  Rejects where it failed; the form shows that.
 * @param {string} props.action  On the button.
 * @param {() => void} [props.cancel]
 * @param {boolean} [props.danger]
 * @param {string | number} [props.of]  Which row it changes, where the address does not tell: what was typed about one is no other's.
 * @param {any} [props.children]
 */
export function Form({ submit, action, cancel, danger = false, of = "", children }) {
  const [failure, setFailure] = useState(/** @type {unknown} */ (null));
  const [sending, setSending] = useState(false);
  const sent = async (/** @type {Event} */ event) => {
    event.preventDefault();
    if (sending) return;
    setSending(true);
    setFailure(null);
    await submit().catch(setFailure);
    setSending(false);
  };
  return html`
    <form class="form" onSubmit=${sent} noValidate aria-busy=${sending}>
      <${Refused.Provider} value=${fieldTexts(failure)}>
        <${Draft.Provider} value=${`${location.pathname} ${of} ${action}`}>${children}</${Draft.Provider}>
      </${Refused.Provider}>
      ${failure ? html`<p class="refused" role="alert">${problemText(failure)}</p>` : null}
      <footer>
        ${cancel ? html`<button type="button" onClick=${cancel}>${t("dialog.cancel")}</button>` : null}
        <button type="submit" class=${danger ? "danger" : "primary"} disabled=${sending}>${action}</button>
      </footer>
    </form>
  `;
}

/**
 * A field goes on with what was typed in it when the session ended. What nobody changed is no draft: it may be another by then.
 * @param {string} field @param {import("../html.js").Signal<string>} value
 */
export function useDraft(field, value) {
  const name = `${useContext(Draft)} ${field}`;
  const first = useMemo(() => {
    const before = value.peek();
    value.value = draftOf(name) ?? before;
    return before;
  }, []);
  useEffect(() => drafted(name, () => (value.peek() === first ? undefined : value.peek())), []);
}

/** @typedef {{id: string, described: string | undefined, invalid: boolean}} Given  What a control has to carry. */
/**
 * A label, its control, a hint, and what was refused about it.
 * @param {{name: string, label: string, hint?: string, children?: (given: Given) => any}} props
 */
export function Field({ name, label, hint, children }) {
  const id = useId();
  const refused = useContext(Refused)[name];
  const words = [refused, hint].filter(Boolean).join(" ");
  const described = words ? `${id}-told` : undefined;
  return html`
    <div class="field" data-refused=${refused ? "" : undefined}>
      <label for=${id}>${label}</label>
      ${children?.({ id, described, invalid: Boolean(refused) })}
      ${words ? html`<small id=${described}>${words}</small>` : null}
    </div>
  `;
}

/**
 * @param {object} props
 * @param {string} props.name
 * @param {string} props.label
 * @param {import("../html.js").Signal<string>} props.value
 * @param {string} [props.hint]
 * @param {string} [props.type]
 * @param {string} [props.autocomplete]
 * @param {number} [props.maxlength]
 * @param {string} [props.inputmode]
 * @param {string} [props.list]  The id of a `datalist`: what is suggested.
 * @param {boolean} [props.required]
 * @param {boolean} [props.first]  Has the focus when the form appears.
 */
export function TextField({ name, label, value, hint, type = "text", autocomplete = "off", first = false, ...more }) {
  if (type !== "password") useDraft(name, value);
  return html`
    <${Field} name=${name} label=${label} hint=${hint}>
      ${(/** @type {Given} */ { id, described, invalid }) => html`
        <input
          id=${id}
          name=${name}
          type=${type}
          value=${value.value}
          autocomplete=${autocomplete}
          autofocus=${first}
          aria-describedby=${described}
          aria-invalid=${invalid || undefined}
          onInput=${(/** @type {any} */ event) => (value.value = event.target.value)}
          ...${more}
        />
      `}
    </${Field}>
  `;
}

/**
 * @param {object} props
 * @param {string} props.name
 * @param {string} props.label
 * @param {import("../html.js").Signal<string>} props.value
 * @param {{value: string, label: string}[]} props.options
 * @param {string} [props.hint]
 */
export function SelectField({ name, label, value, options, hint }) {
  useDraft(name, value);
  return html`
    <${Field} name=${name} label=${label} hint=${hint}>
      ${(/** @type {Given} */ { id, described, invalid }) => html`
        <select
          id=${id}
          name=${name}
          value=${value.value}
          aria-describedby=${described}
          aria-invalid=${invalid || undefined}
          onChange=${(/** @type {any} */ event) => (value.value = event.target.value)}
        >
          ${options.map((one) => html`<option key=${one.value} value=${one.value}>${one.label}</option>`)}
        </select>
      `}
    </${Field}>
  `;
}

/** Yes or no: its value is "true" or "". @param {{name: string, label: string, value: import("../html.js").Signal<string>, hint?: string}} props */
export function CheckField({ name, label, value, hint }) {
  const refused = useContext(Refused)[name];
  return html`
    <label class="checked">
      <input type="checkbox" name=${name} checked=${Boolean(value.value)} onChange=${(/** @type {any} */ event) => (value.value = event.target.checked ? "true" : "")} />
      <span>${label}${refused || hint ? html`<small>${refused ?? hint}</small>` : null}</span>
    </label>
  `;
}
