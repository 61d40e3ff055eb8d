/** The time as the service has it, second by second: a browser's own clock may be wrong. */

import { signal } from "../html.js";

let ahead = 0;
/** Epoch milliseconds, to the second. */
export const now = signal(Date.now());

/** @param {string} time the service's, as an answer tells it */
export function setClock(time) {
  ahead = Date.parse(time) - Date.now();
  tick();
}

function tick() {
  now.value = Math.floor((Date.now() + ahead) / 1000) * 1000;
}

/** "26:14:09" @param {number} milliseconds not negative */
export function span(milliseconds) {
  const seconds = Math.floor(milliseconds / 1000);
  const two = (/** @type {number} */ n) => String(n).padStart(2, "0");
  return `${Math.floor(seconds / 3600)}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
}

setInterval(tick, 1000);
