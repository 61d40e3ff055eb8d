/**
 * What is new, told as it happens: one stream of `/v1/events` for all tabs of this browser.
 *
 * The tab that holds the lock reads the stream and passes on what it is told; when it is closed, the next one does.
 * `known` has the newest version of each clinic's topics, `line` what is known of the connection.
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

const SILENT_FOR = 30_000;
const tabs = new BroadcastChannel("ticket-home.events");

/** @param {Line} now @param {Map<string, string>} versions */
function tell(now, versions) {
  take(now, versions);
  tabs.postMessage({ line: now, known: versions });
}

/** @param {Line} now @param {Map<string, string>} versions */
function take(now, versions) {
  batch(() => {
    line.value = now;
    known.value = versions;
  });
}

/** @param {AbortSignal} stop */
async function lead(stop) {
  tabs.onmessage = ({ data }) => {
    if (data === "who leads?") tabs.postMessage({ line: line.value, known: known.value });
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
  const silence = new AbortController();
  let timer = setTimeout(() => silence.abort(), SILENT_FOR);
  let retry = 2000;
  try {
    const signals = AbortSignal.any([stop, silence.signal]);
    const answer = await open("/v1/events", { signal: signals });
    /** @type {Map<string, string>} */
    let gathered = new Map();
    for await (const message of messages(answer)) {
      clearTimeout(timer);
      timer = setTimeout(() => silence.abort(), SILENT_FOR);
      retry = message.retry ?? retry;
      const data = message.data ? JSON.parse(message.data) : {};
      if (message.event === "versions") {
        gathered = data.versions.reduce(noted, gathered);
        if (data.more) continue;
        tell("live", gathered);
        gathered = new Map();
      } else if (message.event === "change") tell("live", noted(new Map(known.value), data));
      else if (message.event === "stale") tell("stale", known.value);
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
  take("connecting", new Map());
  tabs.onmessage = ({ data }) => {
    if (data !== "who leads?") take(data.line, data.known);
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
