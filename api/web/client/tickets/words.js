/** A ticket's parts, in words: names, documents, urgency, and its values as they are compared and told. */

import { dayOfBlock } from "../service/times.js";
import { t, told } from "../shell/text.js";
import { readable } from "./document.js";

/** @typedef {import("../service/api.js").Schemas["TicketSummary"]} Ticket */
/** @typedef {import("../service/api.js").Schemas["TicketDetail"]} TicketDetail */
/** @typedef {{first_name: string, middle_name?: string | null, last_name: string, second_last_name?: string | null}} Named */

/** "Ana María Rojas Soto" @param {Named | null} patient */
export function nameOf(patient) {
  if (!patient) return t("patient.unknown");
  return [patient.first_name, patient.middle_name, patient.last_name, patient.second_last_name].filter(Boolean).join(" ");
}

/** "Rojas Soto, Ana María": in lists, where names are looked for. @param {Named | null} patient */
export function listedName(patient) {
  if (!patient) return t("patient.unknown");
  const last = [patient.last_name, patient.second_last_name].filter(Boolean).join(" ");
  return `${last}, ${[patient.first_name, patient.middle_name].filter(Boolean).join(" ")}`;
}

/** "RUT 12.345.678-5 · 45 años · F"
 * @param {{document_type: string, document: string, age: number | null, sex: string | null} | null} patient */
export function factsOf(patient) {
  if (!patient) return "";
  const age = patient.age === null ? null : t("patient.years", { n: patient.age });
  const sex = patient.sex === null ? null : told("sex", patient.sex);
  return [documentOf(patient), age, sex].filter(Boolean).join(" · ");
}

/** @param {{document_type: string, document: string}} patient */
export function documentOf({ document_type: type, document }) {
  return `${told("documentType", type)} ${readable(type, document)}`;
}

/** "12-B · Piso 3", or a dash. @param {{bed_number: string | null, location: string | null}} ticket */
export function placeOf(ticket) {
  return [ticket.bed_number, ticket.location].filter(Boolean).join(" · ") || "–";
}

/** "mié 15 ene, 12:00 - 14:00": the block, with the date on which it begins. @param {Ticket} ticket */
export function blockOf(ticket) {
  return `${dayOfBlock(ticket.current_fpa)}, ${ticket.block.label}`;
}
