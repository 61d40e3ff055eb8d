/** A row's form, made of its kind's description. Catalogs have no revisions: what somebody else changes meanwhile is told at its field. */

import { html, signal, useEffect, useMemo, useRef, useSignal, useState } from "../../html.js";
import { Dialog } from "../../parts/dialog.js";
import { CheckField, Form, SelectField, TextField } from "../../parts/form.js";
import { get } from "../../service/api.js";
import { live } from "../../service/live.js";
import { chosenClinic, clinics } from "../../service/session.js";
import { t } from "../../shell/text.js";
import { categories, cellOf, KINDS, newTitle, titleOf, typedOf, valueOf } from "./kinds.js";
import { written } from "./writing.js";

/** @typedef {import("./kinds.js").Column} Column */
/** @typedef {import("./kinds.js").Row} Row */
/** @typedef {import("../../html.js").Signal<string>} Typed */

/** @param {{name: import("./kinds.js").KindName, row?: Row, list: import("./writing.js").List, close: (answer?: any) => void}} props */
export function RowDialog({ name, row, list, close }) {
  const kind = KINDS[name];
  const columns = kind.columns.filter((one) => !one.shown);
  const clinic = useSignal(String(row?.clinic_id ?? chosenClinic.value ?? ""));
  const typed = useMemo(() => new Map(columns.map((one) => [one, signal(typedOf(one, row))])), []);
  const { seen, changed } = useFollowed(typed, row, list);
  const submit = async () => {
    /** @type {Record<string, unknown>} */
    const body = {};
    for (const [one, { value }] of typed) {
      // What was left blank in a new row is missing, and what nobody touched stays as it is.
      if (value !== (row ? typedOf(one, seen.current) : "")) body[one.name] = valueOf(one, value);
      else if (!row && one.initial) body[one.name] = valueOf(one, value);
    }
    if (!row && kind.topic === "catalogs" && clinic.value) body["clinic_id"] = Number(clinic.value);
    if (!row || Object.keys(body).length) close(await written(name, row, body));
    else close();
  };
  const some = clinics.value.filter((one) => one.is_active).map((one) => ({ value: String(one.id), label: one.name }));
  return html`
    <${Dialog} title=${row ? t("catalogs.changeOne", { name: titleOf(kind, row) }) : newTitle(name)} close=${close}>
      <${Form} of=${`${name} ${row?.id ?? ""}`} submit=${submit} action=${t("dialog.save")} cancel=${close}>
        ${row || kind.topic === "clinics" ? null : html`<${SelectField} name="clinic_id" label=${t("column.clinic")} value=${clinic} options=${[{ value: "", label: "–" }, ...some]} />`}
        ${columns.map((one, at) => {
          const now = changed.has(one.name) ? (cellOf(one, /** @type {Row} */ (seen.current)) ?? "–") : undefined;
          return html`<${ColumnField} key=${one.name} column=${one} value=${typed.get(one)} clinic=${clinic} row=${row} now=${now} first=${at === 0} />`;
        })}
      </${Form}>
    </${Dialog}>
  `;
}

/** The row as it is by now: what nobody typed into follows it, and what differs from what was typed is in `changed`.
 * @param {Map<Column, Typed>} typed @param {Row | undefined} row @param {import("./writing.js").List} list */
function useFollowed(typed, row, list) {
  const seen = useRef(row);
  const [changed, setChanged] = useState(/** @type {Set<string>} */ (new Set()));
  const now = list.answer.value?.body.items.find((one) => one.id === row?.id);
  useEffect(() => {
    const before = seen.current;
    if (!row || !now) return;
    const others = [...typed].filter(([one]) => typedOf(one, now) !== typedOf(one, before));
    seen.current = now;
    for (const [one, value] of others) if (value.peek() === typedOf(one, before)) value.value = typedOf(one, now);
    if (others.length) setChanged(new Set([...changed, ...others.map(([one]) => one.name)]));
  }, [now]);
  return { seen, changed };
}

/** @param {{column: Column, value: Typed, clinic: Typed, row?: Row, now?: any, first: boolean}} props `now`: what somebody else made of it. */
function ColumnField({ column, value, clinic, row, now, first }) {
  const { name, holds, most } = column;
  const hint = now === undefined ? column.hint && t(/** @type {any} */ (`catalogHint.${name}`)) : t("catalogs.meanwhile", { now });
  const given = { name, label: t(/** @type {any} */ (`catalogField.${name}`)), value, hint };
  if (holds === "flag") return html`<${CheckField} ...${given} />`;
  if (holds === "specialty") return html`<${SpecialtyField} given=${given} clinic=${clinic} row=${row} />`;
  if (holds === "category") return html`<${SelectField} ...${given} options=${[{ value: "", label: "–" }, ...categories(row?.["category"])]} />`;
  if (holds === "zone") {
    return html`
      <${TextField} ...${given} list="zones" />
      <datalist id="zones">${Intl.supportedValuesOf("timeZone").map((one) => html`<option key=${one} value=${one} />`)}</datalist>
    `;
  }
  return html`<${TextField} ...${given} first=${first} maxlength=${most} inputmode=${holds === "whole" ? "numeric" : undefined} />`;
}

/** Those of the row's clinic that are in use, and the one that it has. @param {{given: any, clinic: Typed, row?: Row}} props */
function SpecialtyField({ given, clinic, row }) {
  const specialties = useMemo(() => live(["catalogs"], (sent) => get("/v1/specialties", { ...sent, query: { clinic_id: Number(clinic.value) || null } })), []);
  useEffect(() => specialties.stop, []);
  const there = clinic.value ? (specialties.answer.value?.body.items ?? []) : [];
  const options = there.map((one) => ({ value: String(one.id), label: one.name }));
  const own = String(row?.["specialty_id"] ?? "");
  if (own && !options.some((one) => one.value === own)) options.unshift({ value: own, label: row?.["specialty_name"] });
  return html`<${SelectField} ...${given} options=${[{ value: "", label: "–" }, ...options]} />`;
}
