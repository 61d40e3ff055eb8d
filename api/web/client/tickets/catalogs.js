/** The catalogs that forms choose from, of the clinic that a ticket is of. */

import { useEffect, useMemo } from "../html.js";
import { get } from "../service/api.js";
import { live } from "../service/live.js";

/**
 * Surgeries and doctors that are in use.
 * @param {number | null} clinic of a superuser; null: the user's own
 * @returns {import("../service/live.js").Live<import("./surgery-form.js").Catalogs>}
 */
export function useCatalogs(clinic) {
  const catalogs = useMemo(
    () =>
      live(["catalogs"], async (sent) => {
        const query = { clinic_id: clinic };
        const [surgeries, doctors] = await Promise.all([get("/v1/surgeries", { ...sent, query }), get("/v1/doctors", { ...sent, query })]);
        return { ...surgeries, body: { surgeries: surgeries.body.items, doctors: doctors.body.items } };
      }),
    [clinic],
  );
  useEffect(() => catalogs.stop, [catalogs]);
  return catalogs;
}

/**
 * Reasons of a category, as a field offers them.
 * @param {"modification" | "annulment" | "delay"} category @param {number | null} clinic
 * @returns {import("../service/live.js").Live<import("../service/api.js").Schemas["ReasonList"]>}
 */
export function useReasons(category, clinic) {
  const reasons = useMemo(() => live(["catalogs"], (sent) => get("/v1/reasons", { ...sent, query: { category, clinic_id: clinic } })), []);
  useEffect(() => reasons.stop, []);
  return reasons;
}
