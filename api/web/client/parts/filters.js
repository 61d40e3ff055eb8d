/** Filters of a page: they stand in its address, so that it can be kept, sent and gone back to. */

import { html, useEffect, useId, useRef, useState } from "../html.js";
import { setQuery } from "../shell/router.js";
import { useShortcuts } from "../shell/shortcuts.js";
import { t } from "../shell/text.js";
import { Icon } from "./icon.js";

/** How long somebody may pause within a word. */
const TYPING = 250;

/**
 * On a phone they are folded away, but for the first.
 * @param {object} props
 * @param {Record<string, string | null>} props.values  What is filtered by now, by name.
 * @param {any} [props.first]
 * @param {any} [props.children]
 */
export function Filters({ values, first, children }) {
  const [open, setOpen] = useState(false);
  const id = useId();
  const names = Object.keys(values);
  const number = names.filter((name) => values[name]).length;
  const clear = () => setQuery(Object.fromEntries(names.map((name) => [name, null])));
  return html`
    <form class="list-filters" role="search" aria-label=${t("filter.all")} onSubmit=${(/** @type {Event} */ event) => event.preventDefault()}>
      ${first}
      <button type="button" class="unfold" aria-expanded=${open} aria-controls=${id} onClick=${() => setOpen(!open)}>
        <${Icon} name="filter" />${number ? t("filter.some", { n: number }) : t("filter.all")}
      </button>
      <div class="folded" id=${id} data-open=${open || undefined}>
        ${children}
        ${number ? html`<button type="button" onClick=${clear}>${t("filter.clear")}</button>` : null}
      </div>
    </form>
  `;
}

/** @param {{label: string, grows?: boolean, children?: (id: string) => any}} props */
export function Filter({ label, grows = false, children }) {
  const id = useId();
  return html`<div class=${grows ? "list-filter grows" : "list-filter"}><label for=${id}>${label}</label>${children?.(id)}</div>`;
}

/** @param {any} event */
const valueOf = (event) => event.target.value;

/** @param {{name: string, label: string, value: string | null, min?: string | null, max?: string | null}} props */
export function DateFilter({ name, label, value, min, max }) {
  const set = (/** @type {Event} */ event) => setQuery({ [name]: valueOf(event) });
  return html`
    <${Filter} label=${label}>
      ${(/** @type {string} */ id) => html`
        <input id=${id} name=${name} type="date" value=${value ?? ""} min=${min} max=${max} onChange=${set} />
      `}
    </${Filter}>
  `;
}

/**
 * @param {object} props
 * @param {string} props.name
 * @param {string} props.label
 * @param {string | null} props.value
 * @param {{value: string, label: string, of?: string}[]} props.options  `of`: the group that it stands in.
 * @param {string} [props.every]  What no choice is called.
 */
export function ChoiceFilter({ name, label, value, options, every }) {
  const groups = [...new Set(options.map((one) => one.of ?? ""))];
  const set = (/** @type {Event} */ event) => setQuery({ [name]: valueOf(event) });
  const shown = (/** @type {{value: string, label: string}[]} */ some) =>
    some.map((one) => html`<option key=${one.value} value=${one.value}>${one.label}</option>`);
  return html`
    <${Filter} label=${label}>
      ${(/** @type {string} */ id) => html`
        <select id=${id} name=${name} value=${value ?? ""} onChange=${set}>
          ${every ? html`<option value="">${every}</option>` : null}
          ${groups.map((group) => {
            const some = shown(options.filter((one) => (one.of ?? "") === group));
            return group ? html`<optgroup key=${group} label=${group}>${some}</optgroup>` : some;
          })}
        </select>
      `}
    </${Filter}>
  `;
}

/** @param {{value: string, within: string}} props `within`: what it looks at. */
export function SearchFilter({ value, within }) {
  return html`<${TypedFilter} name="q" label=${t("filter.search")} value=${value} within=${within} grows searches />`;
}

/**
 * As you type: asked for when somebody pauses.
 * @param {{name: string, label: string, value: string, within: string, grows?: boolean, searches?: boolean}} props
 *   `searches`: it is what `/` leads to.
 */
export function TypedFilter({ name, label, value, within, grows = false, searches = false }) {
  const field = useRef(/** @type {HTMLInputElement | null} */ (null));
  const sent = useRef(value);
  const [typed, setTyped] = useState(value);
  useShortcuts(searches ? [{ key: "/", does: "keys.search", run: () => field.current?.select() }] : []);
  useEffect(() => {
    if (typed.trim() === value) return undefined;
    const timer = setTimeout(() => {
      sent.current = typed.trim();
      setQuery({ [name]: sent.current });
    }, TYPING);
    return () => clearTimeout(timer);
  }, [typed]);
  useEffect(() => {
    // The address was changed by something else; what was typed since this field changed it stays.
    if (sent.current !== value) setTyped(value);
    sent.current = value;
  }, [value]);
  const type = (/** @type {any} */ event) => setTyped(event.target.value);
  return html`
    <${Filter} label=${label} grows=${grows}>
      ${(/** @type {string} */ id) => html`
        <input id=${id} ref=${field} name=${name} type="search" maxlength="200" value=${typed} placeholder=${within} onInput=${type} />
      `}
    </${Filter}>
  `;
}
