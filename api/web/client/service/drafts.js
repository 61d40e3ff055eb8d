/**
 * What was being typed when the service ended the session: the same user goes on with it after signing in again in this
 * tab. It is in the page's memory alone and nowhere shown; it goes with the tab, with another user, and in half an hour.
 */

import { effect } from "../html.js";
import { onForget, session } from "./session.js";

const KEPT_FOR = 30 * 60_000;
/** Of what is shown now: its name → what is typed, undefined where that is nothing. @type {Map<string, () => any>} */
const typing = new Map();
/** @type {{user: number | undefined, typed: Map<string, any>}} */
let left = { user: undefined, typed: new Map() };
/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;

/** @param {string} name @param {() => any} typed @returns {() => void} ends it */
export function drafted(name, typed) {
  typing.set(name, typed);
  return () => void (typing.get(name) === typed && typing.delete(name));
}

/** What the session's end left of it; once. @param {string} name */
export function draftOf(name) {
  const found = left.typed.get(name);
  left.typed.delete(name);
  return found;
}

onForget((ended) => {
  clearTimeout(timer);
  const all = ended ? [...typing].map(([name, typed]) => /** @type {const} */ ([name, typed()])) : [];
  left = { user: session.peek()?.user.id, typed: new Map(all.filter(([, typed]) => typed !== undefined)) };
  timer = setTimeout(() => left.typed.clear(), KEPT_FOR);
});
effect(() => {
  const user = session.value?.user.id;
  if (user !== undefined && user !== left.user) left.typed.clear();
});
