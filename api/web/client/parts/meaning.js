/** What a word means: told on hover, on focus and on a tap, until one leaves it or presses Escape. */

import { html, useId, useState } from "../html.js";
import { t } from "../shell/text.js";

/**
 * @param {object} props
 * @param {string} props.of  The word.
 * @param {string} props.text
 * @param {boolean} [props.focusable]  Whether its mark takes the focus: where nothing else of it does.
 * @param {(described: string) => any} [props.children]  Given the id for `aria-describedby`.
 */
export function Meaning({ of, text, focusable = false, children }) {
  const id = useId();
  const [open, setOpen] = useState(false);
  const show = () => setOpen(true);
  const hide = () => setOpen(false);
  const key = (/** @type {KeyboardEvent} */ event) => event.key === "Escape" && hide();
  return html`
    <div class="meant" onMouseEnter=${show} onMouseLeave=${hide} onFocusIn=${show} onFocusOut=${hide} onKeyDown=${key}>
      ${children?.(id)}
      <button
        type="button"
        class="quiet why"
        tabindex=${focusable ? 0 : -1}
        aria-label=${t("meaning.of", { name: of })}
        aria-describedby=${id}
        onClick=${show}
      >
        ?
      </button>
      <p id=${id} role="tooltip" hidden=${!open}>${text}</p>
    </div>
  `;
}
