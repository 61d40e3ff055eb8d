/** What is shown instead of an answer: that it comes, that there is nothing, that it failed; and that it is old. */

import { html } from "../html.js";
import { problemText } from "../service/problems.js";
import { zoneOf } from "../service/session.js";
import { hourOf, secondOf } from "../service/times.js";
import { t } from "../shell/text.js";
import { Icon } from "./icon.js";

export function Loading() {
  return html`<div class="loading" role="status"><span class="for-ears">${t("state.loading")}</span><i /><i /><i /></div>`;
}

/** @param {{title: string, children?: any}} props */
export function Empty({ title, children }) {
  return html`<div class="empty"><h1>${title}</h1>${children}</div>`;
}

/** @param {{error: unknown, again?: () => void}} props */
export function Failure({ error, again }) {
  return html`
    <div class="failure" role="alert">
      <${Icon} name="warning" />
      <p>${problemText(error)}</p>
      ${again ? html`<button type="button" onClick=${again}>${t("state.again")}</button>` : null}
    </div>
  `;
}

/** "Datos de las 14:02": where what is shown may be overtaken. @param {{since: number | null}} props epoch milliseconds */
export function StaleMark({ since }) {
  if (since === null) return null;
  return html`
    <p class="stale-mark" role="status"><${Icon} name="old" />${t("state.asOf", { hour: hourOf(since, zoneOf()) })}</p>
  `;
}

/** When it was read, where no event tells that it is overtaken; and the way to read it again.
 * @param {{of: import("../service/live.js").Live<any>}} props */
export function ReadAt({ of }) {
  const answer = of.answer.value;
  return html`
    <p class="as-of">
      <span role="status">${answer ? t("state.readAt", { time: secondOf(answer.at, zoneOf()) }) : null}</span>
      <button type="button" class="quiet" onClick=${() => of.refresh()}><${Icon} name="wait" />${t("state.readAgain")}</button>
    </p>
  `;
}

/**
 * An answer that follows the changes: until it is there, where it failed, and where it is old.
 * @template Body
 * @param {{of: import("../service/live.js").Live<Body>, children?: any}} props  `children` is a function of the body.
 */
export function Loaded({ of, children }) {
  const answer = of.answer.value;
  const error = of.error.value;
  if (!answer) return error ? html`<${Failure} error=${error} again=${() => of.refresh()} />` : html`<${Loading} />`;
  const since = of.staleSince.value;
  return html`
    <div class="loaded" data-stale=${since !== null || undefined} aria-busy=${of.reading.value}>
      <${StaleMark} since=${since} />${children(answer.body)}
    </div>
  `;
}
