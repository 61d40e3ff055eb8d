/** The fields of a patient, with the document checked while it is typed. A new field is a line in `FIELDS`. */

import { html, signal } from "../html.js";
import { Field, SelectField, TextField, useDraft } from "../parts/form.js";
import { Icon } from "../parts/icon.js";
import { t } from "../shell/text.js";
import { readable, standingOf } from "./document.js";

/** @typedef {import("./words.js").Named & {document_type: string, document: string, age: number | null, sex: string | null}} PatientOnFile */
/** @typedef {"document_type" | "document" | "first_name" | "middle_name" | "last_name" | "second_last_name" | "age" | "sex"} Name */
/** @typedef {Record<Name, import("../html.js").Signal<string>>} Typed  What is typed, by the names of the API. */

/** @type {{name: Exclude<Name, "document_type" | "document" | "sex">, label: import("../shell/text.js").Key, maxlength: number,
 *   inputmode?: string}[]} */
const FIELDS = [
  { name: "first_name", label: "patient.firstName", maxlength: 80 },
  { name: "middle_name", label: "patient.middleName", maxlength: 80 },
  { name: "last_name", label: "patient.lastName", maxlength: 80 },
  { name: "second_last_name", label: "patient.secondLastName", maxlength: 80 },
  { name: "age", label: "patient.age", maxlength: 3, inputmode: "numeric" },
];
const TYPES = /** @type {const} */ (["rut", "passport", "other"]);
const SEXES = /** @type {const} */ (["", "F", "M", "X"]);

/** @param {Partial<PatientOnFile> | null} [patient] @returns {Typed} */
export function typedPatient(patient) {
  const of = (/** @type {keyof PatientOnFile} */ name) => signal(String(patient?.[name] ?? ""));
  return {
    document_type: signal(patient?.document_type ?? "rut"),
    document: signal(patient?.document ? readable(patient.document_type ?? "", patient.document) : ""),
    first_name: of("first_name"),
    middle_name: of("middle_name"),
    last_name: of("last_name"),
    second_last_name: of("second_last_name"),
    age: of("age"),
    sex: of("sex"),
  };
}

/** As the API takes it: what is empty is left out, or null where it may be cleared. @param {Typed} typed @param {{clearing?: boolean}} [how] */
export function patientBody(typed, { clearing = false } = {}) {
  /** @type {Record<string, unknown>} */
  const body = {};
  for (const [name, { value }] of Object.entries(typed)) {
    const text = value.trim();
    if (text) body[name] = name === "age" && /^\d+$/.test(text) ? Number(text) : text;
    else if (clearing && !["document", "first_name", "last_name"].includes(name)) body[name] = null;
  }
  return body;
}

/** Only what is typed otherwise than it is on file. @param {Typed} typed @param {PatientOnFile} file */
export function patientChanges(typed, file) {
  const before = patientBody(typedPatient(file), { clearing: true });
  const after = patientBody(typed, { clearing: true });
  const changed = Object.entries(after).filter(([name, value]) => value !== before[name]);
  const changes = Object.fromEntries(changed);
  if ("document" in changes || "document_type" in changes) {
    return { ...changes, document: after.document, document_type: after.document_type };
  }
  return changes;
}

/**
 * @param {{typed: Typed, path?: string, first?: boolean, children?: any}} props  `path`: where the patient stands in the
 *   body, for what the service refuses; `children` stand between the document and the names.
 */
export function PatientFields({ typed, path = "patient", first = false, children }) {
  return html`
    <div class="fields">
      <${SelectField}
        name=${`${path}.document_type`}
        label=${t("patient.documentType")}
        value=${typed.document_type}
        options=${TYPES.map((one) => ({ value: one, label: t(`documentType.${one}`) }))}
      />
      <${DocumentField} name=${`${path}.document`} typed=${typed} first=${first} />
    </div>
    ${children}
    <div class="fields">
      ${FIELDS.map(
        (one) => html`
          <${TextField}
            key=${one.name}
            name=${`${path}.${one.name}`}
            label=${t(one.label)}
            value=${typed[one.name]}
            maxlength=${one.maxlength}
            inputmode=${one.inputmode}
          />
        `,
      )}
      <${SelectField}
        name=${`${path}.sex`}
        label=${t("patient.sex")}
        value=${typed.sex}
        options=${SEXES.map((one) => ({ value: one, label: one ? t(`sex.${one}`) : t("patient.notTold") }))}
      />
    </div>
  `;
}

/** @param {{name: string, typed: Typed, first: boolean}} props */
function DocumentField({ name, typed, first }) {
  useDraft(name, typed.document);
  const standing = standingOf(typed.document_type.value, typed.document.value);
  return html`
    <${Field} name=${name} label=${t("patient.document")}>
      ${(/** @type {import("../parts/form.js").Given} */ { id, described, invalid }) => html`
        <input
          id=${id}
          name=${name}
          autocomplete="off"
          maxlength="60"
          value=${typed.document.value}
          autofocus=${first}
          aria-describedby=${[described, `${id}-standing`].filter(Boolean).join(" ")}
          aria-invalid=${invalid || standing === "wrong" || undefined}
          onInput=${(/** @type {any} */ event) => (typed.document.value = event.target.value)}
        />
        <small id=${`${id}-standing`} class="document-standing" data-standing=${standing} role="status">
          ${standing === "empty" ? null : html`<${Icon} name=${ICONS[standing]} />${t(`document.${standing}`)}`}
        </small>
      `}
    </${Field}>
  `;
}

const ICONS = { nobodys: "person", unfinished: "wait", wrong: "warning", right: "check" };
