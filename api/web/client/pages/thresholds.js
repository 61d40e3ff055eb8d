/** From how many hours before the FPA on a ticket is urgent: a clinic's own thresholds, or the global ones. */

import { html, useEffect, useMemo, useRef, useSignal } from "../html.js";
import { ask, Dialog } from "../parts/dialog.js";
import { Form, TextField } from "../parts/form.js";
import { Loaded } from "../parts/states.js";
import { Table } from "../parts/table.js";
import { toast, toastFailure } from "../parts/toasts.js";
import { get, write } from "../service/api.js";
import { live } from "../service/live.js";
import { chosenClinic, clinicName } from "../service/session.js";
import { full } from "../service/times.js";
import { t } from "../shell/text.js";

/** @typedef {import("../service/api.js").Schemas["ThresholdItem"]} Thresholds */
/** @typedef {Pick<Thresholds, "red_hours" | "yellow_hours" | "green_hours">} Hours */
/** @typedef {import("../service/live.js").Live<{items: Thresholds[]}>} List */

const NAMES = /** @type {const} */ (["red_hours", "yellow_hours", "green_hours"]);

export function ThresholdsPage() {
  const thresholds = useMemo(
    () => live(["catalogs", "clinics"], (sent) => get("/v1/urgency-thresholds", { ...sent, query: { clinic_id: chosenClinic.value } })),
    [],
  );
  useEffect(() => thresholds.stop, []);
  return html`
    <div class="page wide">
      <header class="page-head"><div><h1>${t("thresholds.title")}</h1><p>${t("thresholds.lead")}</p></div></header>
      <${Loaded} of=${thresholds}>
        ${(/** @type {{items: Thresholds[]}} */ { items }) => html`<${Listed} of=${thresholds} items=${items} />`}
      </${Loaded}>
    </div>
  `;
}

/** @param {{of: List, items: Thresholds[]}} props */
function Listed({ of, items }) {
  const bare = /** @type {const} */ ("bare");
  const columns = [
    { label: t("frame.clinic"), cell: (/** @type {Thresholds} */ one) => html`<strong>${nameOf(one)}</strong>`, onPhone: bare },
    { label: t("thresholds.hours"), cell: (/** @type {Thresholds} */ one) => html`<${Bands} of=${one} />`, onPhone: bare },
    { label: t("thresholds.whose"), cell: whoseCell },
    { label: t("thresholds.changed"), cell: changedCell },
    { label: t("users.actions"), cell: (/** @type {Thresholds} */ one) => actions(one, of), onPhone: bare },
  ];
  return html`<section class="panel"><${Table} caption=${t("thresholds.title")} columns=${columns} rows=${items} id=${(/** @type {Thresholds} */ one) => one.clinic_id ?? 0} /></section>`;
}

/** @param {List} list @returns {(answer: import("../service/api.js").Answer<Thresholds>) => void} */
const changedOf = (list) => ({ versions }) => list.refresh(versions);

/** @param {Thresholds} one */
const nameOf = ({ clinic_id: id }) => (id === null ? t("thresholds.global") : clinicName(id));

/** @param {Thresholds} one */
function whoseCell({ clinic_id: id, inherited }) {
  if (id === null) return "–";
  return inherited ? html`<em>${t("thresholds.inherited")}</em>` : t("thresholds.own");
}

/** @param {Thresholds} one */
function changedCell({ updated_at: at, updated_by: by }) {
  if (!at) return html`<em>${t("thresholds.never")}</em>`;
  return html`<span class="two-lines"><span class="whole">${full(at)}</span><small>${by}</small></span>`;
}

/** What a ticket is in which of its last hours, in the board's colours and words. @param {{of: Hours}} props */
function Bands({ of: { red_hours: red, yellow_hours: yellow, green_hours: green } }) {
  const bands = [
    ["critical", "state.critical", t("thresholds.below", { n: red })],
    ["warning-high", "thresholds.soon", t("thresholds.between", { from: red, n: yellow })],
    ["warning-low", "thresholds.later", t("thresholds.between", { from: yellow, n: green })],
    ["normal", "state.normal", t("thresholds.from", { n: green })],
  ];
  return html`
    <ul class="bands">
      ${bands.map(([state, name, hours]) => html`<li key=${state} data-state=${state}><b>${hours}</b> ${t(/** @type {any} */ (name))}</li>`)}
    </ul>
  `;
}

/** @param {Thresholds} one @param {List} list */
function actions(one, list) {
  const changed = changedOf(list);
  const name = nameOf(one);
  const giveUp = async () => {
    const answer = await write("delete", "/v1/urgency-thresholds", { query: { clinic_id: one.clinic_id } });
    changed(answer);
    toast(t("thresholds.givenUp", { name }), () => put(one, one).then(changed, (error) => toastFailure(error, changed)));
  };
  return html`
    <div class="row-actions">
      <button type="button" aria-label=${t("thresholds.changeOf", { name })} onClick=${() => ask((close) => html`<${Change} one=${one} list=${list} close=${close} />`)}>${t("users.change")}</button>
      ${one.clinic_id === null || one.inherited
        ? null
        : html`<button type="button" aria-label=${t("thresholds.giveUpOf", { name })} onClick=${() => giveUp().catch(toastFailure)}>${t("thresholds.giveUp")}</button>`}
    </div>
  `;
}

/** @param {Thresholds} one @param {Hours} hours */
function put({ clinic_id: id }, { red_hours, yellow_hours, green_hours }) {
  return write("put", "/v1/urgency-thresholds", { body: { clinic_id: id, red_hours, yellow_hours, green_hours } });
}

/** As it was before. @param {Thresholds} one */
function back(one) {
  return one.inherited ? write("delete", "/v1/urgency-thresholds", { query: { clinic_id: one.clinic_id } }) : put(one, one);
}

/** The thresholds as they are by now: what nobody typed into follows them.
 * @param {Record<keyof Hours, import("../html.js").Signal<string>>} typed @param {Thresholds} one @param {List} list */
function useFollowed(typed, one, list) {
  const seen = useRef(one);
  const now = list.answer.value?.body.items.find((other) => other.clinic_id === one.clinic_id) ?? one;
  useEffect(() => {
    for (const name of NAMES) if (typed[name].peek() === String(seen.current[name])) typed[name].value = String(now[name]);
    seen.current = now;
  }, [now]);
  return now;
}

/** @param {{one: Thresholds, list: List, close: () => void}} props */
function Change({ one, list, close }) {
  const typed = { red_hours: useSignal(String(one.red_hours)), yellow_hours: useSignal(String(one.yellow_hours)), green_hours: useSignal(String(one.green_hours)) };
  const hours = /** @type {Hours} */ (Object.fromEntries(NAMES.map((name) => [name, Number(typed[name].value)])));
  const now = useFollowed(typed, one, list);
  const hintOf = (/** @type {keyof Hours} */ field) => (now[field] === one[field] ? undefined : t("catalogs.meanwhile", { now: now[field] }));
  const name = nameOf(one);
  const submit = async () => {
    const changed = changedOf(list);
    const answer = await put(one, hours);
    close();
    changed(answer);
    toast(t("thresholds.done", { name }), () => back(now).then(changed, (error) => toastFailure(error, changed)));
  };
  return html`
    <${Dialog} title=${t("thresholds.changeOf", { name })} close=${close}>
      <${Form} of=${one.clinic_id ?? 0} action=${t("dialog.save")} cancel=${close} submit=${submit}>
        <p>${t(one.clinic_id === null ? "thresholds.ofAll" : "thresholds.ofClinic")}</p>
        <div class="three">
          ${NAMES.map((field, at) => html`<${TextField} key=${field} name=${field} type="number" inputmode="numeric" label=${t(`thresholds.${field}`)} hint=${hintOf(field)} value=${typed[field]} first=${at === 0} />`)}
        </div>
        <${Bands} of=${hours} />
      </${Form}>
    </${Dialog}>
  `;
}
