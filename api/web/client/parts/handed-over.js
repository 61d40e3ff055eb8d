/** What is shown once and never again, such as a new password: to be read aloud, copied, and handed over. */

import { html, useSignal } from "../html.js";
import { t } from "../shell/text.js";
import { ask, Dialog } from "./dialog.js";

/** @typedef {{title: string, text: string, facts: [label: string, value: string][]}} HandedOver */

/** @param {HandedOver} what */
export function handedOver(what) {
  return ask((close) => html`<${Once} what=${what} close=${close} />`);
}

/** @param {{what: HandedOver, close: () => void}} props */
function Once({ what: { title, text, facts }, close }) {
  const copied = useSignal(false);
  const copy = async () => {
    await navigator.clipboard.writeText(facts.map(([, value]) => value).join("\n"));
    copied.value = true;
  };
  return html`
    <${Dialog} title=${title} close=${close}>
      <div class="once">
        <p>${text}</p>
        <dl>${facts.map(([label, value]) => html`<div key=${label}><dt>${label}</dt><dd>${value}</dd></div>`)}</dl>
      </div>
      <footer>
        ${/* Over plain HTTP there is no clipboard. */ navigator.clipboard
          ? html`<button type="button" onClick=${copy}>${t(copied.value ? "once.copied" : "once.copy")}</button>`
          : null}
        <button type="button" class="primary" onClick=${() => close()}>${t("once.done")}</button>
      </footer>
    </${Dialog}>
  `;
}
