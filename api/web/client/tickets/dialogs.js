/** Dialogs by which a ticket is changed; each resolves with what the service answered, or undefined. */

import { html, useMemo, useSignal } from "../html.js";
import { ask, Dialog } from "../parts/dialog.js";
import { Field, Form, SelectField, TextField, useDraft } from "../parts/form.js";
import { Loaded } from "../parts/states.js";
import { t } from "../shell/text.js";
import { useReasons } from "./catalogs.js";
import { quietly } from "./change.js";
import { PLACE_FIELDS, placeBody, typedPlace } from "./place-form.js";
import { annul, correct } from "./verbs.js";
import { listedName } from "./words.js";

/** @typedef {import("./words.js").Ticket} Ticket */
/** @typedef {import("./change.js").Answered} Answered */
/** @typedef {{ticket: Ticket, close: (answer?: Answered) => void}} Props */
/** @typedef {import("../service/api.js").Schemas["ReasonItem"]} Reason */

/** @param {any} dialog a component of `Props` @param {Ticket} ticket @param {Record<string, unknown>} [more] @returns {Promise<Answered | undefined>} */
export function openDialog(dialog, ticket, more = {}) {
  return ask((close) => html`<${dialog} ticket=${ticket} close=${close} ...${more} />`);
}

/**
 * When something happened: now, or at an earlier time.
 * @param {Props & {title: string, action: string, act: (ticket: Ticket, at: string | null) => Promise<Answered>, field: string}} props
 */
export function MomentDialog({ ticket, close, title, action, act, field }) {
  const at = useSignal("");
  return html`
    <${Dialog} title=${title} close=${close}>
      <${Form} action=${action} cancel=${close} submit=${() => quietly(act(ticket, at.value || null).then(close))}>
        <p>${listedName(ticket.patient)}</p>
        <${TextField} name=${field} type="datetime-local" label=${t("moment.at")} hint=${t("moment.hint")} value=${at} />
      </${Form}>
    </${Dialog}>
  `;
}

/** @param {Props} props */
export function AnnulDialog({ ticket, close }) {
  const reasons = useReasons("annulment", ticket.clinic_id);
  const chosen = useSignal("");
  const submit = () => quietly(annul(ticket, reasonOf(reasons, chosen.value)).then(close));
  return html`
    <${Dialog} title=${t("verb.annul")} close=${close}>
      <${Form} action=${t("verb.annul")} danger cancel=${close} submit=${submit}>
        <p>${listedName(ticket.patient)}</p>
        <${ReasonField} reasons=${reasons} value=${chosen} />
      </${Form}>
    </${Dialog}>
  `;
}

/** The chosen one; without an id, which the service tells at its field, where none is chosen.
 * @param {import("../service/live.js").Live<{items: Reason[]}>} reasons @param {string} id @returns {Reason} */
export function reasonOf(reasons, id) {
  const none = /** @type {Reason} */ (/** @type {unknown} */ ({ id: null, reason: "–" }));
  return reasons.answer.value?.body.items.find((one) => String(one.id) === id) ?? none;
}

/** @param {{reasons: import("../service/live.js").Live<{items: Reason[]}>, value: import("../html.js").Signal<string>}} props */
export function ReasonField({ reasons, value }) {
  return html`
    <${Loaded} of=${reasons}>
      ${(/** @type {{items: Reason[]}} */ { items }) => html`
        <${SelectField}
          name="reason_id"
          label=${t("modification.reason")}
          value=${value}
          options=${[{ value: "", label: t("reason.choose") }, ...items.map((one) => ({ value: String(one.id), label: one.reason }))]}
        />
      `}
    </${Loaded}>
  `;
}

/** @param {{name: string, label: string, value: import("../html.js").Signal<string>}} props */
export function LongField({ name, label, value }) {
  useDraft(name, value);
  return html`
    <${Field} name=${name} label=${label}>
      ${(/** @type {import("../parts/form.js").Given} */ { id, described, invalid }) => html`
        <textarea id=${id} name=${name} maxlength="1000" aria-describedby=${described} aria-invalid=${invalid || undefined} value=${value.value} onInput=${(/** @type {any} */ event) => (value.value = event.target.value)} />
      `}
    </${Field}>
  `;
}

/** Bed, location and episode; of who has left, the episode alone. @param {Props} props */
export function PlaceDialog({ ticket, close }) {
  const typed = useMemo(() => typedPlace(ticket), []);
  const fields = PLACE_FIELDS.filter((one) => ticket.status === "active" || one.name === "episode_id");
  const submit = () => {
    const all = placeBody(typed);
    const changed = fields.filter(({ name }) => all[name] !== ticket[name]);
    if (!changed.length) return Promise.resolve(close());
    const mine = Object.fromEntries(changed.map(({ name }) => [name, all[name] ?? "–"]));
    return quietly(correct(ticket, Object.fromEntries(changed.map(({ name }) => [name, all[name]])), mine).then(close));
  };
  return html`
    <${Dialog} title=${t("verb.place")} close=${close}>
      <${Form} action=${t("dialog.save")} cancel=${close} submit=${submit}>
        <p>${listedName(ticket.patient)}</p>
        ${fields.map(
          (one, at) => html`<${TextField} key=${one.name} name=${one.name} label=${t(one.label)} maxlength=${one.maxlength} value=${typed[one.name]} first=${!at} />`,
        )}
      </${Form}>
    </${Dialog}>
  `;
}
