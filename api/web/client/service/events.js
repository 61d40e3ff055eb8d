/**
 * What is new, told as it happens: one stream of `/v1/events` for all tabs of this browser.
 *
 * The tab that holds the lock reads the stream and passes on what it is told; when it is closed, the next one does.
 * `known` has the newest version of each clinic's topics, `line` what is known of the connection, and `heard` when it was
 * last heard that `known` is all there is: the service says so every second. A stream that is cut off without a word is
 * noticed by its silence, in each tab by itself.
 */

import { batch, effect, signal } from "../html.js";
import { open, Problem } from "./api.js";
import { messages } from "./event-stream.js";
import { load, session } from "./session.js";

/** @typedef {"connecting" | "live" | "reconnecting" | "stale"} Line */

/** @type {import("../html.js").Signal<Line>} */
export const line = signal("connecting");
/** `clinic/topic` → its version, a word of `Cache-Version`. @type {import("../html.js").Signal<Map<string, string>>} */
export const known = signal(new Map());

/** When it was known last that `known` is current, epoch milliseconds. */
export const heard = signal(0);
/** Whether that is longer ago than anything may be old without saying so. */
export const silent = signal(false);
/** Milliseconds for which what was right counts as right. */
export const RIGHT_FOR = 2000;

/** Seconds between two words of the service's. */
const BEAT = 1;
/** Milliseconds of silence after which the stream is opened anew. */
const LOST_AFTER = 10_000;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let silence;
const tabs = new BroadcastChannel("ticket-home.events");

/** @param {Line} now @param {Map<string, string>} versions */
function tell(now, versions) {
  take({ line: now, known: versions, heard: now === "live" ? Date.now() : heard.value });
  pass();
}

function pass() {
  tabs.postMessage({ line: line.value, known: known.value, heard: heard.value });
}

/** @param {{line: Line, known: Map<string, string>, heard: number}} told */
function take(told) {
  const left = told.heard + RIGHT_FOR - Date.now();
  batch(() => {
    line.value = told.line;
    known.value = told.known;
    heard.value = told.heard;
    silent.value = left <= 0;
  });
  clearTimeout(silence);
  silence = setTimeout(() => (silent.value = true), left);
}

/** @param {AbortSignal} stop */
async function lead(stop) {
  tabs.onmessage = ({ data }) => {
    if (data === "who leads?") pass();
  };
  let pause = 1000;
  while (!stop.aborted) {
    try {
      pause = await follow(stop);
    } catch (error) {
      if (stop.aborted) return;
      tell("reconnecting", known.value);
      pause = error instanceof Problem && error.retryAfter ? 1000 * error.retryAfter : Math.min(2 * pause, 10_000);
    }
    await waited(pause, stop);
  }
}

/** Reads one stream to its end. @param {AbortSignal} stop @returns {Promise<number>} milliseconds until the next one */
async function follow(stop) {
  const lost = new AbortController();
  let timer = setTimeout(() => lost.abort(), LOST_AFTER);
  let retry = 2000;
  try {
    const signals = AbortSignal.any([stop, lost.signal]);
    const answer = await open("/v1/events", { signal: signals, query: { beat: BEAT } });
    /** @type {Map<string, string>} */
    let gathered = new Map();
    for await (const message of messages(answer)) {
      clearTimeout(timer);
      timer = setTimeout(() => lost.abort(), LOST_AFTER);
      retry = message.retry ?? retry;
      const data = message.data ? JSON.parse(message.data) : {};
      if (message.event === "versions") {
        gathered = data.versions.reduce(noted, gathered);
        if (data.more) continue;
        tell("live", gathered);
        gathered = new Map();
      } else if (message.event === "change") tell("live", noted(new Map(known.value), data));
      else if (message.event === "stale") tell("stale", known.value);
      else if (!message.event && line.value === "live" && !gathered.size) tell("live", known.value);
      else if (message.event === "end") {
        if (data.reason === "session_ended" || data.reason === "access_changed") await load();
        return data.retry_ms;
      }
    }
    tell("reconnecting", known.value);
    return retry;
  } finally {
    clearTimeout(timer);
  }
}

/** @param {Map<string, string>} versions @param {{clinic_id: number | null, topic: string, version: string}} one */
function noted(versions, one) {
  return versions.set(`${one.clinic_id ?? ""}/${one.topic}`, one.version);
}

/** @param {number} milliseconds @param {AbortSignal} stop */
function waited(milliseconds, stop) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    const now = () => {
      clearTimeout(timer);
      resolve(undefined);
    };
    stop.addEventListener("abort", now, { once: true });
    addEventListener("online", now, { once: true });
  });
}

/** @param {AbortSignal} stop */
function join(stop) {
  take({ line: "connecting", known: new Map(), heard: 0 });
  tabs.onmessage = ({ data }) => {
    if (data !== "who leads?") take(data);
  };
  tabs.postMessage("who leads?");
  const led = navigator.locks.request("ticket-home.events", { signal: stop }, () => lead(stop));
  led.catch((error) => {
    if (!stop.aborted) throw error;
  });
}

let stopping = new AbortController();
/** @type {number | undefined} */
let of;
effect(() => {
  const user = session.value?.user.id;
  if (user === of) return;
  of = user;
  stopping.abort();
  stopping = new AbortController();
  if (user !== undefined) join(stopping.signal);
});
