/** The surgeries of the clinic that is looked at; of the network, in groups by clinic. */

import { html, useEffect, useMemo } from "../html.js";
import { get } from "../service/api.js";
import { live } from "../service/live.js";
import { chosenClinic, clinicName, may } from "../service/session.js";
import { t } from "../shell/text.js";
import { ChoiceFilter } from "./filters.js";

/** @typedef {import("../service/api.js").Schemas["SurgeryItem"]} Surgery */

/** Of those that are no longer in use there are tickets, too; admins may list them. @param {{value: string | null}} props */
export function SurgeryFilter({ value }) {
  const clinic = chosenClinic.value;
  const surgeries = useMemo(
    () => live(["catalogs"], (sent) => get("/v1/surgeries", { ...sent, query: { clinic_id: clinic, include_inactive: may("admin") } })),
    [clinic],
  );
  useEffect(() => surgeries.stop, [surgeries]);
  const ofNetwork = may("superuser") && clinic === null;
  const options = (surgeries.answer.value?.body.items ?? []).map((/** @type {Surgery} */ one) => ({
    value: String(one.id),
    label: one.name,
    of: ofNetwork ? clinicName(one.clinic_id) : undefined,
  }));
  return html`<${ChoiceFilter} name="surgery_id" label=${t("filter.surgery")} value=${value} options=${options} every=${t("filter.everySurgery")} />`;
}
