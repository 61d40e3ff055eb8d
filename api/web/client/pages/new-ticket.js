/** A new ticket: who is found is shown before anything is written, and the FPA while it is typed. */

import { html, signal, useMemo } from "../html.js";
import { Form, SelectField, TextField } from "../parts/form.js";
import { Loaded } from "../parts/states.js";
import { toast } from "../parts/toasts.js";
import { write } from "../service/api.js";
import { chosenClinic, clinics, may } from "../service/session.js";
import { navigate } from "../shell/router.js";
import { t } from "../shell/text.js";
import { useCatalogs } from "../tickets/catalogs.js";
import { answered, quietly, warned } from "../tickets/change.js";
import { FoundPatient, nobodyYet } from "../tickets/found-patient.js";
import { patientBody, PatientFields, typedPatient } from "../tickets/patient-form.js";
import { PLACE_FIELDS, placeBody, typedPlace } from "../tickets/place-form.js";
import { surgeryBody, SurgeryFields, typedSurgery } from "../tickets/surgery-form.js";

export function NewTicketPage() {
  const typed = useMemo(
    () => ({
      clinic: signal(String(chosenClinic.value ?? "")),
      patient: typedPatient(),
      surgery: typedSurgery(),
      place: typedPlace(),
      found: nobodyYet(),
    }),
    [],
  );
  const clinic = Number(typed.clinic.value) || null;
  const catalogs = useCatalogs(clinic);
  const submit = () => quietly(create(typed));
  return html`
    <div class="page narrow">
      <header class="page-head"><h1>${t("newTicket.title")}</h1></header>
      <${Form} action=${t("newTicket.action")} submit=${submit}>
        ${may("superuser") ? html`<${ClinicField} value=${typed.clinic} />` : null}
        <fieldset class="panel">
          <legend>${t("ticket.patient")}</legend>
          <${PatientFields} typed=${typed.patient} first>
            <${FoundPatient} typed=${typed.patient} clinic=${clinic} found=${typed.found} />
          </${PatientFields}>
        </fieldset>
        <fieldset class="panel">
          <legend>${t("ticket.surgery")}</legend>
          <${Loaded} of=${catalogs}>
            ${(/** @type {any} */ body) => html`<${SurgeryFields} typed=${typed.surgery} catalogs=${body} clinic=${clinic} />`}
          </${Loaded}>
        </fieldset>
        <fieldset class="panel">
          <legend>${t("ticket.place")}</legend>
          <div class="fields">
            ${PLACE_FIELDS.map(
              (one) => html`<${TextField} key=${one.name} name=${one.name} label=${t(one.label)} maxlength=${one.maxlength} value=${typed.place[one.name]} />`,
            )}
          </div>
        </fieldset>
      </${Form}>
    </div>
  `;
}

/** @param {{value: import("../html.js").Signal<string>}} props */
function ClinicField({ value }) {
  const options = clinics.value.filter((one) => one.is_active).map((one) => ({ value: String(one.id), label: one.name }));
  return html`<${SelectField} name="clinic_id" label=${t("frame.clinic")} value=${value} options=${[{ value: "", label: t("newTicket.chooseClinic") }, ...options]} />`;
}

/** @param {{clinic: {value: string}, patient: any, surgery: any, place: any}} typed */
async function create(typed) {
  const patient = patientBody(typed.patient);
  const body = { clinic_id: Number(typed.clinic.value) || null, patient, ...surgeryBody(typed.surgery), ...placeBody(typed.place) };
  const made = await answered((told) => write("post", "/v1/tickets", { body: /** @type {any} */ (told) }), body, patient);
  warned(made);
  toast(t("newTicket.made", { ticket: made.body.id }));
  navigate(`/tickets/${made.body.id}`, { replace: true });
}
