/** Dialogs: `ask` shows one and resolves with what it is closed with; `confirmed` asks yes or no. */

import { html, signal, useEffect, useId, useRef } from "../html.js";
import { onForget } from "../service/session.js";
import { t } from "../shell/text.js";
import { Icon } from "./icon.js";

/** @typedef {{id: number, content: (close: (value?: any) => void) => any, closed: (value: any) => void}} Asked */

/** @type {import("../html.js").Signal<Asked[]>} */
const asked = signal([]);
let last = 0;

/**
 * @template T
 * @param {(close: (value?: T) => void) => any} content  A `Dialog`.
 * @returns {Promise<T | undefined>} undefined where it was closed without an answer.
 */
export function ask(content) {
  return new Promise((resolve) => {
    const id = ++last;
    const closed = (/** @type {any} */ value) => {
      asked.value = asked.value.filter((one) => one.id !== id);
      resolve(value);
    };
    asked.value = [...asked.value, { id, content, closed }];
  });
}

/**
 * @param {{title: string, text?: string, action: string, danger?: boolean}} what
 * @returns {Promise<boolean>}
 */
export async function confirmed({ title, text, action, danger = false }) {
  const answer = await ask(
    (close) => html`
      <${Dialog} title=${title} close=${close}>
        ${text ? html`<p>${text}</p>` : null}
        <footer>
          <button type="button" onClick=${() => close()}>${t("dialog.cancel")}</button>
          <button type="button" class=${danger ? "danger" : "primary"} onClick=${() => close(true)}>${action}</button>
        </footer>
      </${Dialog}>
    `,
  );
  return answer === true;
}

// What a dialog shows is of whoever was signed in.
onForget(() => {
  for (const one of asked.value) one.closed(undefined);
});

/** All that are open, the newest above. */
export function Dialogs() {
  return asked.value.map((one) => html`<${Shown} key=${one.id} one=${one} />`);
}

/** @param {{one: Asked}} props */
function Shown({ one }) {
  return one.content(one.closed);
}

/** @param {{title: string, close: (value?: any) => void, wide?: boolean, children?: any}} props */
export function Dialog({ title, close, wide = false, children }) {
  const element = useRef(/** @type {HTMLDialogElement | null} */ (null));
  const heading = useId();
  useEffect(() => {
    const before = document.activeElement;
    element.current?.showModal();
    return () => before instanceof HTMLElement && before.focus();
  }, []);
  const cancelled = (/** @type {Event} */ event) => {
    event.preventDefault(); // it goes when it is taken out of the page
    close();
  };
  return html`
    <dialog ref=${element} class=${wide ? "wide" : ""} aria-labelledby=${heading} onCancel=${cancelled}>
      <header>
        <h2 id=${heading}>${title}</h2>
        <button type="button" class="quiet" aria-label=${t("dialog.close")} onClick=${() => close()}>
          <${Icon} name="close" />
        </button>
      </header>
      ${children}
    </dialog>
  `;
}
