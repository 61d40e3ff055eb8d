/** Which tickets are asked for: what the address of the list says, as the API takes it. */

/** @typedef {NonNullable<import("../../service/contract.d.ts").QueryOf<"/v1/tickets", "get">>} Query */

/** What filters, by its name in the address. `clinic_id` is the choice of the frame. */
export const NAMES = /** @type {const} */ ([
  ...["q", "figure", "at", "reason_id", "doctor_id", "state", "mine", "surgery_id", "date_from", "date_to"],
]);
export const SORTS = /** @type {const} */ ([
  ...["-created_at", "created_at", "current_fpa", "-current_fpa", "patient", "-patient", "surgery", "-surgery"],
]);
/** In the order in which a stay goes on. `active` is a status, which several states share. */
export const STATES = /** @type {const} */ ([
  ...["active", "scheduled", "normal", "warning", "critical", "overdue", "discharged", "annulled"],
]);

/** @param {URLSearchParams} query @returns {Record<string, string | null>} */
export function filtersIn(query) {
  return Object.fromEntries(NAMES.map((name) => [name, query.get(name)]));
}

/** @param {URLSearchParams} query @param {number | null} clinic @returns {Query} */
export function askedBy(query, clinic) {
  const { state, mine, ...same } = filtersIn(query);
  return /** @type {Query} */ ({
    ...same,
    ...(state === "active" ? { status: state } : { state }),
    created_by_me: mine ? true : null,
    sort: query.get("sort"),
    clinic_id: clinic,
  });
}
