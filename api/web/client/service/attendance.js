/**
 * Whether somebody is there. A page reads by itself, and each read keeps the session: so it is the browser that ends one
 * which nobody has touched, in any tab, for as long as the session may be idle.
 */

import { signal } from "../html.js";
import { session, signOut } from "./session.js";

/** Whether the session is about to end, unless somebody touches the screen. */
export const ending = signal(false);

const WARNED_FOR = 60_000;
/** At the most between two words to other tabs. */
const TOLD_EVERY = 5000;
const tabs = new BroadcastChannel("ticket-home.attendance");
let touched = Date.now();

/** @param {MessageEvent<number>} event when another tab was touched, epoch milliseconds */
tabs.onmessage = ({ data }) => {
  touched = Math.max(touched, data);
  look();
};

function touch() {
  const now = Date.now();
  if (now - touched < TOLD_EVERY && !ending.value) return;
  look(); // a machine that slept: it is over, and the first touch does not change that
  touched = now;
  tabs.postMessage(now);
  look();
}

function look() {
  const idle = session.peek()?.idle_seconds;
  const left = idle ? touched + 1000 * idle - Date.now() : Infinity;
  ending.value = left <= Math.min(WARNED_FOR, 500 * (idle ?? 0));
  if (left <= 0) signOut(true).catch(() => {}); // it is said again when the page is opened again
}

for (const kind of ["pointerdown", "pointermove", "keydown", "wheel"]) addEventListener(kind, touch, { capture: true, passive: true });
/** @type {number | undefined} */
let who;
session.subscribe((now) => {
  if (now && now.user.id !== who) touched = Date.now();
  who = now?.user.id;
});
setInterval(look, 1000);
