/** Short messages at the edge of the screen: what was done, with a way back for some seconds, and what went wrong. */

import { html, signal, useEffect, useState } from "../html.js";
import { onForget } from "../service/session.js";
import { problemText } from "../service/problems.js";
import { t } from "../shell/text.js";
import { Icon } from "./icon.js";

/** @typedef {{id: number, text: string, kind: "done" | "failed", action?: string, act?: () => void}} Message */

/** Long enough to read it, find the button and press it, also with a glove. */
const SHOWN_FOR = 10_000;
/** @type {import("../html.js").Signal<Message[]>} */
const messages = signal([]);
let last = 0;

/** @param {Omit<Message, "id">} message */
function show(message) {
  messages.value = [...messages.value.slice(-2), { id: ++last, ...message }];
}

/** @param {string} text @param {() => void} [undo] */
export function toast(text, undo) {
  show({ text, kind: "done", ...(undo && { action: t("toast.undo"), act: undo }) });
}

/** What failed. A write that the network lost can be sent again, with its key, as long as this is shown.
 * @param {unknown} error @param {(answer: any) => void} [landed] called where sending it again succeeds */
export function toastFailure(error, landed = () => {}) {
  const again = /** @type {{again?: (() => Promise<any>) | null}} */ (error).again;
  const act = again && (() => again().then(landed, (later) => toastFailure(later, landed)));
  show({ text: problemText(error), kind: "failed", ...(act && { action: t("toast.again"), act }) });
}

onForget(() => (messages.value = []));

export function Toasts() {
  return html`
    <div class="toasts" role="region" aria-label=${t("toast.all")} aria-live="polite">
      ${messages.value.map((one) => html`<${Toast} key=${one.id} one=${one} />`)}
    </div>
  `;
}

/** @param {{one: Message}} props */
function Toast({ one }) {
  const [held, hold] = useState(false);
  const gone = () => (messages.value = messages.value.filter((other) => other.id !== one.id));
  const stays = held || (one.kind === "failed" && one.act);
  useEffect(() => {
    if (stays) return undefined;
    const timer = setTimeout(gone, SHOWN_FOR);
    return () => clearTimeout(timer);
  }, [stays]);
  const act = () => {
    gone();
    one.act?.();
  };
  return html`
    <div
      class="toast"
      data-kind=${one.kind}
      onMouseEnter=${() => hold(true)}
      onMouseLeave=${() => hold(false)}
      onFocusIn=${() => hold(true)}
      onFocusOut=${() => hold(false)}
    >
      <${Icon} name=${one.kind === "done" ? "check" : "warning"} />
      <span>${one.text}</span>
      ${one.act ? html`<button type="button" onClick=${act}>${one.action}</button>` : null}
      <button type="button" class="quiet" aria-label=${t("dialog.close")} onClick=${gone}><${Icon} name="close" /></button>
    </div>
  `;
}
