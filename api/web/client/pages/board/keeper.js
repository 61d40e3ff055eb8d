/** Keeps the board that was shown last, for when there is no network: at once, and then every few seconds at most. */

import { keep } from "../../service/kept.js";
import { sessionEnd } from "../../service/session.js";

/** To write down five hundred tickets takes some milliseconds, and a busy ward changes each second. */
const AT_MOST_EVERY = 10_000;

/** @param {string} question @returns its name among what is kept */
export function keptAs(question) {
  return `board/${encodeURIComponent(question)}`;
}

export function newKeeper() {
  /** @type {(() => void) | null} */
  let waiting = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;

  function next() {
    timer = undefined;
    if (!waiting) return;
    waiting();
    waiting = null;
    timer = setTimeout(next, AT_MOST_EVERY);
  }

  return {
    /** @param {string} question @param {unknown} body @param {number} at epoch milliseconds: when it was right */
    keep(question, body, at) {
      waiting = () => void keep(keptAs(question), { value: body, at }, sessionEnd());
      if (timer === undefined) next();
    },
    stop() {
      clearTimeout(timer);
    },
  };
}
