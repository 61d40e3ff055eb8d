/**
 * The cards that are on the screen, of however many: each has its place, and glides to another one when it moves. Cards
 * that are out of sight are not there, so five hundred cost what twenty do.
 */

import { html, useLayoutEffect, useRef, useState } from "../../html.js";

const GAP = 12;
/** Rows above and below the screen that are ready to be scrolled to. */
const SPARE = 2;

/**
 * @template Item
 * @param {{items: Item[], id: (item: Item) => string, card: (item: Item) => any, height: number, least: number, label: string}} props
 *   `height` of a card and `least` width, both in rem: they grow with the reader's letters.
 */
export function Grid({ items, id, card, height, least, label }) {
  const list = useRef(/** @type {HTMLUListElement | null} */ (null));
  const [seen, setSeen] = useState({ width: 0, top: 0, bottom: 2000, rem: 16 });

  useLayoutEffect(() => {
    const element = /** @type {HTMLUListElement} */ (list.current);
    let asked = 0;
    const look = () => {
      asked = 0;
      const box = element.getBoundingClientRect();
      const rem = parseFloat(getComputedStyle(document.documentElement).fontSize);
      const step = height * rem + GAP;
      // By whole rows: between two of them nothing is drawn anew.
      const top = Math.floor(-box.top / step) * step;
      const bottom = Math.ceil((innerHeight - box.top) / step) * step;
      setSeen((before) =>
        before.width === box.width && before.top === top && before.bottom === bottom && before.rem === rem
          ? before
          : { width: box.width, top, bottom, rem },
      );
    };
    const later = () => (asked ||= requestAnimationFrame(look));
    look();
    const sizes = new ResizeObserver(later);
    sizes.observe(element);
    addEventListener("scroll", later, { passive: true });
    return () => {
      sizes.disconnect();
      removeEventListener("scroll", later);
      cancelAnimationFrame(asked);
    };
  }, [height]);

  const columns = Math.max(1, Math.floor((seen.width + GAP) / (least * seen.rem + GAP)));
  const step = height * seen.rem + GAP;
  const width = (seen.width - GAP * (columns - 1)) / columns;
  const first = Math.max(0, Math.floor(seen.top / step) - SPARE) * columns;
  const last = Math.min(items.length, (Math.ceil(seen.bottom / step) + SPARE) * columns);
  const active = list.current?.contains(document.activeElement) ? document.activeElement : null;
  const focused = active?.closest("li")?.getAttribute("data-id");
  useLayoutEffect(() => {
    // A card that moved among the others was taken out for a moment, and lost the focus.
    if (active instanceof HTMLElement && active.isConnected && document.activeElement !== active) active.focus({ preventScroll: true });
  });
  const shown = items.flatMap((item, at) => ((at >= first && at < last) || id(item) === focused ? [at] : []));
  // Cards glide to where they stand among the others, and not after a window that is made wider.
  const before = useRef(0);
  const glides = before.current === seen.width;
  before.current = seen.width;
  const rows = Math.ceil(items.length / columns);
  return html`
    <ul ref=${list} class="grid" data-glides=${glides || undefined} aria-label=${label} style=${{ height: `${Math.max(0, rows * step - GAP)}px` }}>
      ${seen.width
        ? shown.map((at) => {
            const item = /** @type {Item} */ (items[at]);
            const place = {
              transform: `translate(${(at % columns) * (width + GAP)}px, ${Math.floor(at / columns) * step}px)`,
              width: `${width}px`,
              height: `${height * seen.rem}px`,
            };
            return html`
              <li key=${id(item)} data-id=${id(item)} style=${place} aria-setsize=${items.length} aria-posinset=${at + 1}>${card(item)}</li>
            `;
          })
        : null}
    </ul>
  `;
}
