/** Who is on file under the document that is being typed: shown before anything is written. */

import { html, signal, useEffect } from "../html.js";
import { Icon } from "../parts/icon.js";
import { Problem, Unreachable, write } from "../service/api.js";
import { problemText } from "../service/problems.js";
import { t } from "../shell/text.js";
import { standingOf } from "./document.js";
import { factsOf, nameOf } from "./words.js";

/** @typedef {import("../service/api.js").Schemas["Lookup"]} Lookup */
/** @typedef {{of: string, answer: Lookup | null, error: unknown}} Found */

/** Milliseconds without a key: each look-up is written down, and sixty an hour are allowed. */
const STILL_FOR = 500;

/** What was last found; for one form. @returns {import("../html.js").Signal<Found | null>} */
export const nobodyYet = () => signal(/** @type {Found | null} */ (null));

/**
 * @param {{typed: import("./patient-form.js").Typed, clinic: number | null, found: import("../html.js").Signal<Found | null>}} props
 */
export function FoundPatient({ typed, clinic, found }) {
  const [type, document] = [typed.document_type.value, typed.document.value.trim()];
  const wanted = standingOf(type, document) === "right" ? `${clinic} ${type} ${document}` : "";
  useEffect(() => {
    if (!wanted || found.value?.of === wanted) return undefined;
    const stop = new AbortController();
    const timer = setTimeout(() => {
      const body = { clinic_id: clinic, document_type: /** @type {any} */ (type), document };
      write("post", "/v1/patients/lookup", { body, signal: stop.signal, once: true }).then(
        (answer) => (found.value = { of: wanted, answer: answer.body, error: null }),
        (error) => {
          if (stop.signal.aborted) return;
          if (!(error instanceof Problem) && !(error instanceof Unreachable)) throw error;
          found.value = { of: wanted, answer: null, error };
        },
      );
    }, STILL_FOR);
    return () => {
      clearTimeout(timer);
      stop.abort();
    };
  }, [wanted]);
  if (!wanted) return null;
  const now = found.value?.of === wanted ? found.value : null;
  return html`<div class="found" role="status" aria-busy=${!now}>${now ? html`<${Told} found=${now} typed=${typed} />` : t("found.looking")}</div>`;
}

/** @param {{found: Found, typed: import("./patient-form.js").Typed}} props */
function Told({ found: { answer, error }, typed }) {
  if (error) return html`<p>${problemText(error)} ${t("found.goOn")}</p>`;
  const patient = answer?.patient;
  if (!answer || !patient) return html`<p><${Icon} name="person" />${t("found.nobody")}</p>`;
  const isTyped = typed.first_name.value === patient.first_name && typed.last_name.value === patient.last_name;
  return html`
    <div>
      <strong>${nameOf(patient)}</strong>
      <span>${factsOf(patient)}</span>
      ${answer.active_tickets.map(
        (id) => html`
          <span key=${id} class="already"><${Icon} name="warning" />${t("found.active")} <a href=${`/tickets/${id}`} target="_blank">${id}</a></span>
        `,
      )}
    </div>
    ${isTyped ? null : html`<button type="button" onClick=${() => take(typed, patient)}>${t("found.isThisOne")}</button>`}
  `;
}

/** @param {import("./patient-form.js").Typed} typed @param {NonNullable<Lookup["patient"]>} patient */
function take(typed, patient) {
  typed.first_name.value = patient.first_name;
  typed.middle_name.value = patient.middle_name ?? "";
  typed.last_name.value = patient.last_name;
  typed.second_last_name.value = patient.second_last_name ?? "";
  typed.age.value = String(patient.age ?? "");
  typed.sex.value = patient.sex ?? "";
}
