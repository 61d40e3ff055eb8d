/** Where the patient lies, and under which episode. A new field of that kind is a line in `PLACE_FIELDS`. */

import { signal } from "../html.js";

/** @typedef {Exclude<keyof import("../service/api.js").Schemas["PlacementIn"], "patient" | "second_stay">} Name */

/** @type {{name: Name, label: import("../shell/text.js").Key, maxlength: number}[]} */
export const PLACE_FIELDS = [
  { name: "bed_number", label: "ticket.bed_number", maxlength: 10 },
  { name: "location", label: "ticket.location", maxlength: 50 },
  { name: "episode_id", label: "ticket.episode_id", maxlength: 50 },
];

/** @param {Partial<Record<Name, string | null>>} [ticket] */
export function typedPlace(ticket) {
  const entries = PLACE_FIELDS.map(({ name }) => [name, signal(ticket?.[name] ?? "")]);
  return /** @type {Record<Name, import("../html.js").Signal<string>>} */ (Object.fromEntries(entries));
}

/** As the API takes it; null where there is none. @param {Record<Name, {value: string}>} typed */
export function placeBody(typed) {
  const entries = PLACE_FIELDS.map(({ name }) => [name, typed[name].value.trim() || null]);
  return /** @type {Record<Name, string | null>} */ (Object.fromEntries(entries));
}
