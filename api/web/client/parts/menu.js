/** A button that unfolds what stands behind it, over the page. Escape, a choice, scrolling or a look elsewhere folds it again. */

import { html, useEffect, useId, useRef, useState } from "../html.js";

/** Pixels between the button and what it unfolds. */
const GAP = 6;
const TAKES_FOCUS = "a[href], button:not(:disabled)";

/**
 * @param {object} props
 * @param {any} props.label  What stands on the button.
 * @param {string} [props.name]  What it is called, where that is not what stands on it.
 * @param {string} [props.look]  Classes of the button.
 * @param {string} [props.current]  Where what is shown by now was chosen here: of which kind it is.
 * @param {any} [props.children]  Buttons and links.
 */
export function Menu({ label, name, look = "", current, children }) {
  const id = useId();
  const button = useRef(/** @type {HTMLButtonElement | null} */ (null));
  const panel = useRef(/** @type {HTMLElement | null} */ (null));
  const [open, setOpen] = useState(false);
  const fold = () => panel.current?.hidePopover();
  useEffect(() => {
    if (!open) return undefined;
    addEventListener("scroll", fold);
    addEventListener("resize", fold);
    return () => {
      removeEventListener("scroll", fold);
      removeEventListener("resize", fold);
    };
  }, [open]);
  const about = (/** @type {any} */ { newState }) => {
    setOpen(newState === "open");
    if (newState === "open" && button.current && panel.current) panel.current.style.inset = beside(button.current);
  };
  const left = (/** @type {FocusEvent} */ { relatedTarget: to }) => {
    if (to instanceof Node && to !== button.current && !panel.current?.contains(to)) fold();
  };
  return html`
    <div class="menu" onKeyDown=${(/** @type {KeyboardEvent} */ event) => open && panel.current && step(event, panel.current)}>
      <button ref=${button} type="button" class=${look} popovertarget=${id} aria-expanded=${open} aria-label=${name} data-current=${current}>
        ${label}
      </button>
      <div id=${id} ref=${panel} popover="auto" class="unfolded" onBeforeToggle=${about} onClickCapture=${fold} onFocusOut=${left}>${children}</div>
    </div>
  `;
}

/** Where there is room: under the button or above it, from its left edge or its right one. @param {HTMLElement} button */
function beside(button) {
  const { top, right, bottom, left } = button.getBoundingClientRect();
  const [width, height] = [document.documentElement.clientWidth, innerHeight];
  const vertical = bottom < height / 2 ? [`${bottom + GAP}px`, "auto"] : ["auto", `${height - top + GAP}px`];
  const horizontal = left < width / 2 ? ["auto", `${left}px`] : [`${width - right}px`, "auto"];
  return [vertical[0], horizontal[0], vertical[1], horizontal[1]].join(" ");
}

/** The arrows go from one choice to the next. @param {KeyboardEvent} event @param {HTMLElement} panel */
function step(event, panel) {
  const way = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!way) return;
  event.preventDefault();
  const choices = /** @type {HTMLElement[]} */ ([...panel.querySelectorAll(TAKES_FOCUS)]).filter((one) => one.checkVisibility());
  const at = choices.indexOf(/** @type {HTMLElement} */ (document.activeElement));
  choices.at(at < 0 && way < 0 ? -1 : (at + way) % choices.length)?.focus();
}
