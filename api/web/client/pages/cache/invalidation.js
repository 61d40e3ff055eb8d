/** Have every process compute anew: one topic of one clinic, or all. It is asked back, and noted in the audit. */

import { html, useSignal } from "../../html.js";
import { confirmed } from "../../parts/dialog.js";
import { Form, SelectField } from "../../parts/form.js";
import { toast } from "../../parts/toasts.js";
import { write } from "../../service/api.js";
import { clinicName, clinics } from "../../service/session.js";
import { t } from "../../shell/text.js";

const TOPICS = /** @type {const} */ (["tickets", "figures", "catalogs", "clinics", "users"]);
/** @typedef {typeof TOPICS[number]} Topic */

/** @param {{done: () => void}} props */
export function Invalidation({ done }) {
  const clinic = useSignal("");
  const topic = useSignal("");
  const submit = async () => {
    const body = { clinic_id: Number(clinic.value) || null, topic: /** @type {Topic | null} */ (topic.value || null) };
    const named = {
      topic: body.topic ? t(`topic.${body.topic}`) : t("invalidation.everyTopic"),
      clinic: body.clinic_id ? clinicName(body.clinic_id) : t("invalidation.everyClinic"),
    };
    const all = !body.topic && !body.clinic_id;
    const title = all ? t("invalidation.sureAll") : t("invalidation.sure", named);
    const sure = await confirmed({ title, text: t("invalidation.sureText"), action: t("invalidation.action"), danger: true });
    if (!sure) return;
    await write("post", "/v1/admin/cache/invalidations", { body });
    toast(t("invalidation.done"));
    done();
  };
  const every = { value: "", label: t("invalidation.everyClinic") };
  const ofClinics = clinics.value.map((one) => ({ value: String(one.id), label: one.name }));
  const topics = TOPICS.map((one) => ({ value: one, label: t(`topic.${one}`) }));
  return html`
    <section class="panel invalidation">
      <header><h2>${t("invalidation.title")}</h2><p>${t("invalidation.text")}</p></header>
      <${Form} submit=${submit} action=${t("invalidation.action")} danger>
        <${SelectField} name="clinic_id" label=${t("invalidation.clinic")} value=${clinic} options=${[every, ...ofClinics]} />
        <${SelectField}
          name="topic"
          label=${t("invalidation.topic")}
          value=${topic}
          options=${[{ value: "", label: t("invalidation.everyTopic") }, ...topics]}
        />
      </${Form}>
    </section>
  `;
}
