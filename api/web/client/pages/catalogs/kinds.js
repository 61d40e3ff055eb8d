/** The kinds of catalogs, each described once: lists, tables and forms are made of this. A new one is an entry here, and its texts. */

import { chosenClinic } from "../../service/session.js";
import { t, told } from "../../shell/text.js";

/** @typedef {{id: number, clinic_id?: number, is_active: boolean} & Record<string, any>} Row */
/**
 * @typedef {object} Column
 * @property {string} name  As the API has it; its label is `catalogField.<name>`.
 * @property {"text" | "whole" | "flag" | "specialty" | "category" | "zone"} holds
 * @property {number} [most]  Characters.
 * @property {boolean} [nullable]  To leave it blank clears it.
 * @property {boolean} [hint]  `catalogHint.<name>` stands below its field.
 * @property {boolean} [shown]  And never written: the service makes it.
 * @property {string} [initial]  Of a new row, as its form has it.
 */
/** @typedef {import("../../service/contract.d.ts").PathWith<"get">} Listed */
/**
 * @typedef {object} Kind
 * @property {"catalogs" | "clinics"} topic  What tells that it changed; of the first there is one for each clinic.
 * @property {Listed} list
 * @property {import("../../service/contract.d.ts").PathWith<"patch">} [row]  Without one, nobody writes it.
 * @property {string} [alike]  The column in which no two may be the same.
 * @property {Column[]} columns  The first is what a row is called.
 */
/** @typedef {keyof typeof KINDS} KindName */

/** @type {Column} */
const NAME = { name: "name", holds: "text", most: 200 };
/** @type {Column} */
const SPECIALTY = { name: "specialty_id", holds: "specialty" };
const CATEGORIES = /** @type {const} */ (["modification", "annulment", "delay"]);

export const KINDS = {
  surgeries: /** @type {Kind} */ ({
    topic: "catalogs",
    list: "/v1/surgeries",
    row: "/v1/surgeries/{surgery_id}",
    alike: "name",
    columns: [
      NAME,
      SPECIALTY,
      { name: "base_stay_hours", holds: "whole", hint: true },
      { name: "applies_ticket_home", holds: "flag", initial: "true" },
      { name: "is_ambulatory", holds: "flag" },
      { name: "ambulatory_cutoff_hour", holds: "whole", nullable: true, hint: true },
    ],
  }),
  doctors: /** @type {Kind} */ ({
    topic: "catalogs",
    list: "/v1/doctors",
    row: "/v1/doctors/{doctor_id}",
    alike: "rut",
    columns: [NAME, { ...SPECIALTY, nullable: true }, { name: "rut", holds: "text", most: 20, nullable: true, hint: true }],
  }),
  specialties: /** @type {Kind} */ ({
    topic: "catalogs",
    list: "/v1/specialties",
    row: "/v1/specialties/{specialty_id}",
    alike: "name",
    columns: [{ ...NAME, most: 120 }],
  }),
  reasons: /** @type {Kind} */ ({
    topic: "catalogs",
    list: "/v1/reasons",
    row: "/v1/reasons/{reason_id}",
    alike: "reason",
    columns: [
      { name: "reason", holds: "text", most: 500 },
      { name: "category", holds: "category" },
    ],
  }),
  clinics: /** @type {Kind} */ ({
    topic: "clinics",
    list: "/v1/clinics",
    row: "/v1/clinics/{clinic_id}",
    alike: "name",
    columns: [
      { ...NAME, most: 120 },
      { name: "prefix", holds: "text", shown: true },
      { name: "timezone", holds: "zone", hint: true, initial: "America/Santiago" },
    ],
  }),
  blocks: /** @type {Kind} */ ({
    topic: "clinics",
    list: "/v1/discharge-blocks",
    columns: [
      { name: "label", holds: "text" },
      { name: "end_hour", holds: "whole" },
    ],
  }),
};

/** @param {Kind} kind @param {Row} row @returns {string} */
export function titleOf({ columns: [first] }, row) {
  return row[/** @type {Column} */ (first).name];
}

/** What a new row of it is called. @param {KindName} name */
export function newTitle(name) {
  return t(/** @type {import("../../shell/text.js").Key} */ (`catalogNew.${name}`));
}

/** What stands in a table; null: nothing does, and what is the case is seen at once. @param {Column} column @param {Row} row */
export function cellOf({ name, holds }, row) {
  if (holds === "flag") return row[name] ? t("catalogs.yes") : null;
  if (holds === "specialty") return row["specialty_name"];
  if (holds === "category") return told("category", row[name]);
  return row[name];
}

/** As the form's field has it. @param {Column} column @param {Row | undefined} row undefined: a new one */
export function typedOf({ name, initial = "" }, row) {
  if (!row) return initial;
  return row[name] === false ? "" : String(row[name] ?? "");
}

/** As the API takes it; what is no number is the service's to refuse. @param {Column} column @param {string} typed */
export function valueOf({ holds, nullable }, typed) {
  if (holds === "flag") return Boolean(typed);
  if (nullable && !typed.trim()) return null;
  return (holds === "whole" || holds === "specialty") && /^\s*\d+\s*$/.test(typed) ? Number(typed) : typed;
}

/** @param {string} word of the row, which may have one that is not chosen any more */
export function categories(word) {
  const some = word && !CATEGORIES.some((one) => one === word) ? [word, ...CATEGORIES] : CATEGORIES;
  return some.map((one) => ({ value: one, label: told("category", one) }));
}

/** Whose rows are listed: of clinics all. @param {Kind} kind */
export function clinicOf(kind) {
  return kind.topic === "catalogs" ? chosenClinic.value : null;
}
