/** Shows how things stand with the service, and whether there is a newer release of this page. */

import { html, signal } from "../html.js";
import { Icon } from "../parts/icon.js";
import { repeating } from "../service/api.js";
import { ending } from "../service/attendance.js";
import { line } from "../service/events.js";
import { standing } from "../service/standing.js";
import { t } from "./text.js";

/** @type {Record<import("../service/standing.js").Standing, string>} */
const ICONS = { connecting: "wait", live: "live", reconnecting: "wait", stale: "old", offline: "offline" };

export function ConnectionState() {
  const now = standing.value;
  const waiting = repeating.value;
  return html`
    <span class="standing" data-standing=${now} role="status">
      <${Icon} name=${ICONS[now]} /><span>${t(`standing.${now}`)}</span>
      ${waiting ? html`<span class="waiting">${t("standing.repeating", { n: waiting })}</span>` : null}
    </span>
  `;
}

/** Whether the service has another release of this page than the one that is open. */
export const newer = signal(false);

/** A deploy ends every stream: whoever comes back looks whether the page is another one now. */
async function look() {
  const page = await fetch("/", { cache: "no-cache" }).catch(() => null);
  const release = page?.ok ? /data-release="(\w+)"/.exec(await page.text())?.[1] : undefined;
  if (release) newer.value = release !== document.documentElement.dataset.release;
}

let before = line.peek();
line.subscribe((now) => {
  if (now === "live" && before === "reconnecting") look();
  before = now;
});

export function NewRelease() {
  if (!newer.value) return null;
  return html`
    <div class="banner" role="status">
      <span>${t("release.newer")}</span>
      <button class="primary" onClick=${() => location.reload()}>${t("release.reload")}</button>
    </div>
  `;
}

/** Nobody has touched this screen for long. Whatever is touched keeps the session. */
export function Unattended() {
  return ending.value ? html`<div class="banner" role="alert">${t("frame.unattended")}</div>` : null;
}
