/** A clinic's catalog from a file: first what it would do, then that. */

import { html, useSignal } from "../../html.js";
import { Form, SelectField } from "../../parts/form.js";
import { toast } from "../../parts/toasts.js";
import { Problem, write } from "../../service/api.js";
import { chosenClinic, clinics } from "../../service/session.js";
import { t } from "../../shell/text.js";
import { FileField } from "./file-field.js";
import { changesOf, Report, said } from "./report.js";
import { Waiting } from "./waiting.js";

/** @typedef {import("../../service/api.js").Schemas["CatalogImport"]} CatalogImport */

/** The service may take 25 seconds, and a little more to say that it did not get there. */
const WITHIN = 35_000;

export function ImportsPage() {
  const clinic = useSignal(String(chosenClinic.value ?? ""));
  const file = useSignal(/** @type {import("./file-field.js").Chosen | null} */ (null));
  const refused = useSignal("");
  const report = useSignal(/** @type {CatalogImport | null} */ (null));
  const busy = useSignal(false);
  const found = report.value;
  const isReady = Boolean(found?.dry_run && !found.problems_total && changesOf(found));
  const choose = (/** @type {typeof file.value} */ chosen) => {
    file.value = chosen;
    report.value = null;
  };
  const submit = async () => {
    if (busy.value) return;
    refused.value = file.value ? "" : refused.value || t("imports.noFile");
    if (!file.value) return;
    busy.value = true;
    const { name, content } = file.value;
    try {
      const read = await content;
      if (!read) return void (refused.value = t("imports.unreadable", { name }));
      report.value = await sent(name, read, Number(clinic.value) || undefined, !isReady);
      if (report.value.imported) toast(t("imports.imported"));
    } catch (error) {
      if (!(error instanceof Problem) || error.code !== "no_catalog") throw error;
      refused.value = said(error.told["reason"] ?? "", error.told["values"] ?? {}, error.message);
    } finally {
      busy.value = false;
    }
  };
  const some = clinics.value.filter((one) => one.is_active).map((one) => ({ value: String(one.id), label: one.name }));
  return html`
    <div class="page">
      <header class="page-head">
        <div><h1>${t("imports.title")}</h1><p>${t("imports.lead")}</p></div>
        <a class="button" href="/catalogs">${t("catalogs.title")}</a>
      </header>
      <section class="panel">
        <${Form} submit=${submit} action=${isReady ? t("imports.import", { n: changesOf(found) }) : t("imports.review")}>
          <fieldset class="fields" disabled=${busy.value} onChange=${() => (report.value = null)}>
            <${SelectField} name="clinic_id" label=${t("column.clinic")} value=${clinic} options=${[{ value: "", label: "–" }, ...some]} />
            <${FileField} refused=${refused} name=${file.value?.name ?? ""} choose=${choose} />
          </fieldset>
          <details><summary>${t("imports.what")}</summary><p>${t("imports.whatText")}</p></details>
          ${busy.value ? html`<${Waiting} text=${t(isReady ? "imports.importing" : "imports.reviewing")} />` : null}
          ${found && !busy.value ? html`<${Report} report=${found} name=${file.value?.name ?? ""} />` : null}
        </${Form}>
      </section>
    </div>
  `;
}

/** What it did, or would do; also where rows are wrong, which is a report and no failure.
 * @param {string} name @param {Blob} content @param {any} clinic_id @param {boolean} dry_run @returns {Promise<CatalogImport>} */
async function sent(name, content, clinic_id, dry_run) {
  try {
    const query = { clinic_id, filename: name, dry_run };
    return (await write("post", "/v1/imports/catalog", { query, body: content, within: WITHIN })).body;
  } catch (error) {
    if (error instanceof Problem && error.code === "catalog_refused") return error.told["report"];
    throw error;
  }
}
