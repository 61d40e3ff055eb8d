/** Dialogs about who the patient is, and which surgery: corrections, and the ticket that was written for another one. */

import { html, useMemo } from "../html.js";
import { Dialog } from "../parts/dialog.js";
import { Form } from "../parts/form.js";
import { Loaded } from "../parts/states.js";
import { dayAndHour } from "../service/times.js";
import { t } from "../shell/text.js";
import { useCatalogs } from "./catalogs.js";
import { quietly } from "./change.js";
import { FoundPatient, nobodyYet } from "./found-patient.js";
import { patientBody, patientChanges, PatientFields, typedPatient } from "./patient-form.js";
import { surgeryBody, SurgeryFields, typedSurgery } from "./surgery-form.js";
import { correct, edit, reassign } from "./verbs.js";
import { factsOf, nameOf } from "./words.js";

/** @typedef {import("./dialogs.js").Props} Props */

/** As it will be told of. @param {import("./patient-form.js").Typed} typed */
function toldOf(typed) {
  const patient = /** @type {any} */ ({ age: null, sex: null, ...patientBody(typed) });
  return [nameOf(patient), patient.document ? factsOf(patient) : ""].filter(Boolean).join(" · ");
}

/** Corrects what is on file, field by field. @param {Props} props */
export function PatientDialog({ ticket, close }) {
  const typed = useMemo(() => typedPatient(ticket.patient), []);
  const submit = () => {
    const patient = ticket.patient ? patientChanges(typed, ticket.patient) : patientBody(typed);
    if (!Object.keys(patient).length) return Promise.resolve(close());
    const whole = /** @type {any} */ (patientBody(typed));
    return quietly(correct(ticket, { patient }, { patient: toldOf(typed) }, whole).then(close));
  };
  return html`
    <${Dialog} title=${t("verb.patient")} wide close=${close}>
      <${Form} action=${t("dialog.save")} cancel=${close} submit=${submit}>
        <p class="hint">${t("patient.correctHint")}</p>
        <${PatientFields} typed=${typed} />
      </${Form}>
    </${Dialog}>
  `;
}

/** Another surgery, doctor, or time of it. @param {Props} props */
export function SurgeryDialog({ ticket, close }) {
  const typed = useMemo(() => typedSurgery(ticket), []);
  const catalogs = useCatalogs(ticket.clinic_id);
  const submit = () => {
    const { surgery_at, ...chosen } = surgeryBody(typed);
    const moved = surgery_at !== ticket.surgery_at.slice(0, 16);
    const patient = patientBody(typedPatient(ticket.patient), { clearing: true });
    const body = { patient, ...chosen, ...(moved ? { surgery_at } : {}) };
    return quietly(edit(ticket, body, { surgery_at: dayAndHour(surgery_at ?? ticket.surgery_at) }).then(close));
  };
  return html`
    <${Dialog} title=${t("verb.surgery")} wide close=${close}>
      <${Form} action=${t("dialog.save")} cancel=${close} submit=${submit}>
        <p class="hint">${t("surgery.editHint")}</p>
        <${Loaded} of=${catalogs}>
          ${(/** @type {any} */ body) => html`<${SurgeryFields} typed=${typed} catalogs=${body} clinic=${ticket.clinic_id} preview=${false} />`}
        </${Loaded}>
      </${Form}>
    </${Dialog}>
  `;
}

/** The ticket was written for the wrong patient, and goes to another one. @param {Props} props */
export function ReassignDialog({ ticket, close }) {
  const typed = useMemo(() => typedPatient(), []);
  const found = useMemo(nobodyYet, []);
  const submit = () => {
    const patient = patientBody(typed);
    return quietly(reassign(ticket, patient, { patient: toldOf(typed) }).then(close));
  };
  return html`
    <${Dialog} title=${t("verb.reassign")} wide close=${close}>
      <${Form} action=${t("verb.reassign")} danger cancel=${close} submit=${submit}>
        <p class="hint">${t("reassign.text", { name: nameOf(ticket.patient) })}</p>
        <${PatientFields} typed=${typed}>
          <${FoundPatient} typed=${typed} clinic=${ticket.clinic_id} found=${found} />
        </${PatientFields}>
      </${Form}>
    </${Dialog}>
  `;
}
