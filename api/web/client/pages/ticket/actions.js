/** What may be done to a ticket, by its status and by who looks at it: the usual in a row, the rest behind it. */

import { html, useRef } from "../../html.js";
import { Icon } from "../../parts/icon.js";
import { confirmed } from "../../parts/dialog.js";
import { Menu } from "../../parts/menu.js";
import { toast, toastFailure } from "../../parts/toasts.js";
import { may } from "../../service/session.js";
import { t } from "../../shell/text.js";
import { quietly } from "../../tickets/change.js";
import { DelayDialog } from "../../tickets/delay-dialog.js";
import { AnnulDialog, MomentDialog, openDialog, PlaceDialog } from "../../tickets/dialogs.js";
import { ModifyDialog } from "../../tickets/modify-dialog.js";
import { PatientDialog, ReassignDialog, SurgeryDialog } from "../../tickets/patient-dialogs.js";
import { discharge, ready, restore, undoDischarge, undoReady } from "../../tickets/verbs.js";
import { MOST } from "./modifications.js";

/** @typedef {import("../ticket.js").Ticket} Ticket */
/** @typedef {import("../../tickets/change.js").Answered} Answered */
/** @typedef {{name: import("../../shell/text.js").Key, act: () => Promise<Answered | undefined>, primary?: boolean, danger?: boolean}} Action */

/** @typedef {{ticket: Ticket, changed: (answer: Answered) => void, writing: import("../../html.js").Signal<boolean>}} Props
 * `writing`: a press is on its way, and the next one waits for what it makes. */

/** @param {Props} props */
export function Actions({ ticket, changed, writing }) {
  const running = useRef(false);
  const run = async (/** @type {Action} */ { act }) => {
    if (running.current) return; // a second tap of the same thumb
    running.current = true;
    await quietly(act().then((answer) => answer && changed(answer))).catch((error) => toastFailure(error, changed));
    running.current = false;
  };
  const usual = may("clinical") ? usualOf(ticket, changed) : [];
  const rest = may("clinical") ? restOf(ticket) : [];
  const button = (/** @type {Action} */ one) => html`
    <button key=${one.name} type="button" class=${one.primary ? "primary" : one.danger ? "danger-text" : ""} disabled=${writing.value} onClick=${() => run(one)}>${t(one.name)}</button>
  `;
  const printing = html`<button type="button" onClick=${() => print()}>${t("ticket.printPage")}</button>`;
  return html`
    <div class="actions ticket-actions">
      ${usual.map(button)}
      ${rest.length ? html`<${Menu} label=${t("ticket.more")}>${rest.map(button)}${printing}</${Menu}>` : printing}
      <a class="button" href=${`/v1/tickets/${ticket.id}/pdf`} target="_blank"><${Icon} name="print" />${t("ticket.pdf")}</a>
    </div>
  `;
}

/** @param {Ticket} ticket @param {(answer: Answered) => void} changed @returns {Action[]} */
function usualOf(ticket, changed) {
  /** Says what was done, with its way back. @param {import("../../shell/text.js").Key} text @param {(ticket: Ticket) => Promise<Answered>} undo */
  const done = (text, undo) => (/** @type {Answered | undefined} */ answer) => {
    if (!answer) return answer;
    const back = () => quietly(undo(answer.body).then(changed)).catch(toastFailure);
    toast(t(text), back);
    return answer;
  };
  if (ticket.status === "discharged") return [{ name: "verb.undoDischarge", act: () => undoDischarge(ticket) }];
  if (ticket.status === "annulled") return may("admin") ? [{ name: "verb.restore", primary: true, act: () => restore(ticket) }] : [];
  const leaves = { title: t("verb.discharge"), action: t("verb.discharge"), act: discharge, field: "discharged_at" };
  const isReady = { title: t("verb.ready"), action: t("verb.ready"), act: ready, field: "ready_at" };
  return [
    ticket.ready
      ? { name: "verb.discharge", primary: true, act: () => openDialog(MomentDialog, ticket, leaves).then(done("done.discharged", undoDischarge)) }
      : { name: "verb.ready", primary: true, act: () => openDialog(MomentDialog, ticket, isReady).then(done("done.ready", undoReady)) },
    ...(ticket.ready ? [] : [/** @type {Action} */ ({ name: "verb.discharge", act: () => openDialog(MomentDialog, ticket, leaves).then(done("done.discharged", undoDischarge)) })]),
    ...(ticket.state === "scheduled" ? [] : [/** @type {Action} */ ({ name: "verb.delay", act: () => openDialog(DelayDialog, ticket, { now: () => ticket }) })]),
    ...(ticket.modifications.length < MOST ? [/** @type {Action} */ ({ name: "verb.modify", act: () => openDialog(ModifyDialog, ticket) })] : []),
    { name: "verb.place", act: () => openDialog(PlaceDialog, ticket) },
  ];
}

/** @param {Ticket} ticket @returns {Action[]} */
function restOf(ticket) {
  const admin = may("admin");
  const there = ticket.status !== "annulled";
  /** @type {[boolean, Action][]} */
  const all = [
    [ticket.status === "discharged", { name: "verb.place", act: () => openDialog(PlaceDialog, ticket) }],
    [ticket.status === "active" && ticket.ready !== null, { name: "verb.undoReady", act: () => sure("verb.undoReady", () => undoReady(ticket)) }],
    [ticket.status === "active" || (there && admin), { name: "verb.patient", act: () => openDialog(PatientDialog, ticket) }],
    [ticket.status === "active" && admin && ticket.patient !== null, { name: "verb.surgery", act: () => openDialog(SurgeryDialog, ticket) }],
    [there && admin, { name: "verb.reassign", danger: true, act: () => openDialog(ReassignDialog, ticket) }],
    [ticket.status === "active", { name: "verb.annul", danger: true, act: () => openDialog(AnnulDialog, ticket) }],
  ];
  return all.filter(([may_]) => may_).map(([, action]) => action);
}

/** @param {import("../../shell/text.js").Key} name @param {() => Promise<Answered>} act */
async function sure(name, act) {
  return (await confirmed({ title: t(name), action: t(name) })) ? act() : undefined;
}
