/** What every page and part is made with: `html` templates, and signals that templates show by themselves. */

import htm from "./vendor/htm.js";
import { h } from "./vendor/preact.js";

export { createContext, h, render } from "./vendor/preact.js";
export { useCallback, useContext, useEffect, useId, useLayoutEffect, useMemo, useRef, useState } from "./vendor/hooks.js";
export { batch, computed, effect, signal, untracked, useComputed, useSignal, useSignalEffect } from "./vendor/signals.js";

export const html = htm.bind(h);

/** @typedef {import("./vendor/preact.js").VNode<any>} VNode */
/** @typedef {VNode | VNode[] | string | number | null | undefined | false} Shown What a part may return. */
/**
 * @template T
 * @typedef {import("./vendor/signals.js").Signal<T>} Signal
 */
/**
 * @template T
 * @typedef {import("./vendor/signals.js").ReadonlySignal<T>} ReadonlySignal
 */
