/**
 * The API, and the only module that asks it.
 *
 * `get` reads; `write` changes, with an Idempotency-Key, and sends the same again for two minutes where the network
 * fails; `open` gives a stream's answer. All three reject with a `Problem` where the service refuses, and with
 * `Unreachable` where nobody answers. Paths and types are those of the contract (contract.d.ts).
 */

import { signal } from "../html.js";
import { answered, keyFor, numberOf } from "./keys.js";

/** @typedef {import("./contract.d.ts").Schemas} Schemas */
/** @typedef {import("./contract.d.ts").Method} Method */
/**
 * @template Body
 * @typedef {object} Answer
 * @property {Body} body
 * @property {string | null} etag
 * @property {string | null} versions  The `Cache-Version` that a write made.
 * @property {boolean} stale  The service says that it may be overtaken: show it as of `at`.
 * @property {number} at  When it was right, epoch milliseconds on this browser's clock.
 */
/**
 * @typedef {object} Sent
 * @property {Record<string, unknown>} [params]  Of the path.
 * @property {Record<string, unknown>} [query]  Null, undefined and "" are left out.
 * @property {unknown} [body]  A `Blob` goes as it is, everything else as JSON.
 * @property {number} [within]  Milliseconds until an answer is given up, where the service may take longer than it does.
 * @property {number} [revision]  The one that was read, for If-Match.
 * @property {string | null} [versions]  `Cache-Version`: the answer is at least that new.
 * @property {AbortSignal} [signal]
 * @property {boolean} [once]  Of a write that changes nothing, such as a preview: it is not sent again.
 * @property {(current: any) => boolean} [landed]  Of a 412 that a repeated write meets: whether `current` is what the
 *   first one made, whose answer was lost.
 */

const ANSWERED_WITHIN = 10_000;
const REPEATED_WITHIN = 120_000;
/** Within the 24 hours for which the service knows a key. */
const SENT_AGAIN_WITHIN = 23 * 3_600_000;
const AWAY = [502, 503, 504];
const PAUSES = [500, 1000, 2000, 4000, 8000];

/** Whether the service answered the last time it was asked. */
export const reachable = signal(true);
/** How many writes are on their way again, after the network failed. */
export const repeating = signal(0);

/** What the service refused: an `application/problem+json`. */
export class Problem extends Error {
  /** @param {number} status @param {any} told @param {number | null} retryAfter seconds */
  constructor(status, told, retryAfter) {
    super(told.detail ?? told.title ?? String(status));
    this.status = status;
    /** @type {string} What to switch on. */
    this.code = told.code ?? (AWAY.includes(status) ? "unavailable" : "unknown");
    /** @type {{path: string, code: string, message: string}[]} Of fields. */
    this.errors = told.errors ?? [];
    /** @type {Record<string, any>} All members, such as `current`, `patient` and `ticket_id`. */
    this.told = told;
    this.retryAfter = retryAfter;
  }
}

/** Nobody answered. `again` sends the same write once more, with its key. */
export class Unreachable extends Error {
  /** @param {unknown} cause @param {(() => Promise<any>) | null} again */
  constructor(cause, again = null) {
    super("unreachable", { cause });
    this.again = again;
  }
}

/** Whether the service is away, or it or a proxy before it says that it cannot answer now. @param {unknown} error */
export function isAway(error) {
  return error instanceof Unreachable || (error instanceof Problem && AWAY.includes(error.status));
}

/** Rises when who was signed in is not any more: their writes are nobody else's to send. */
let owner = 0;
export function dropWrites() {
  owner += 1;
}

/** Whether it is still who is signed in now. What comes for somebody who has left is for nobody, and is never told.
 * @returns {() => boolean} */
export function belongsToNow() {
  const asker = owner;
  return () => asker === owner;
}

let changes = () => false;
/** @param {() => boolean} callback tells whether another tab may be signing in or out: no write goes out before that is over. */
export function whileSessionChanges(callback) {
  changes = callback;
}

let signedOut = () => {};
/** @param {() => void} callback called whenever the service does not know the session (any more). */
export function whenSignedOut(callback) {
  signedOut = callback;
}

/**
 * @template {import("./contract.d.ts").PathWith<"get">} P
 * @param {P} path
 * @param {Omit<Sent, "query" | "params"> & {params?: import("./contract.d.ts").ParamsOf<P, "get">,
 *   query?: NoInfer<import("./contract.d.ts").QueryOf<P, "get">>}} [sent]
 * @returns {Promise<Answer<import("./contract.d.ts").AnswerOf<P, "get">>>}
 */
export async function get(path, sent = {}) {
  return read(await asked("GET", path, /** @type {Sent} */ (sent)));
}

/**
 * @template {Exclude<Method, "get">} M
 * @template {import("./contract.d.ts").PathWith<M>} P
 * @param {M} method
 * @param {P} path
 * @param {Omit<Sent, "query" | "params" | "body"> & {params?: import("./contract.d.ts").ParamsOf<P, M>,
 *   query?: import("./contract.d.ts").QueryOf<P, M>, body?: import("./contract.d.ts").BodyOf<P, M>}} [sent]
 * @returns {Promise<Answer<import("./contract.d.ts").AnswerOf<P, M>>>}
 */
export function write(method, path, sent = {}) {
  // Fixed now: what is typed later is another write.
  const given = /** @type {unknown} */ (sent.body);
  const fixed = { ...sent, body: given === undefined || given instanceof Blob ? given : JSON.stringify(given) };
  const identity = JSON.stringify([method, path, sent.params, sent.query, given instanceof Blob ? numberOf(given) : fixed.body, sent.revision]);
  const first = { ...keyFor(identity), owner };
  const whose = path.startsWith("/v1/auth/") ? () => true : belongsToNow();
  return repeated(method.toUpperCase(), path, /** @type {Sent} */ (fixed), first).then(
    (answer) => {
      answered(identity);
      return whose() ? answer : new Promise(() => {});
    },
    (error) => {
      if (sent.once || error instanceof Problem) answered(identity);
      if (whose()) throw error;
      return new Promise(() => {});
    },
  );
}

/**
 * A stream's answer, for whoever reads it on.
 * @param {import("./contract.d.ts").PathWith<"get">} path @param {Sent} sent
 */
export function open(path, sent) {
  return asked("GET", path, sent, null);
}

/**
 * @param {string} method @param {string} path @param {Sent} sent
 * @param {{key: string, owner: number, at: number}} first  When it was first sent, by whom and as what.
 * @returns {Promise<any>}
 */
async function repeated(method, path, sent, first) {
  const begun = Date.now();
  for (let tries = 0; ; tries++) {
    while (changes()) await new Promise((resolve) => setTimeout(resolve, 100));
    if (first.owner !== owner || begun - first.at > SENT_AGAIN_WITHIN) throw new Unreachable(null);
    try {
      const answer = await asked(method, path, sent, first.key);
      return await read(answer);
    } catch (error) {
      if (tries && error instanceof Problem && error.status === 412 && sent.landed?.(error.told.current)) {
        return { body: error.told.current, etag: null, versions: null, stale: false, at: Date.now() };
      }
      const pause = pauseAfter(error, tries);
      if (pause === null || sent.once || sent.signal?.aborted) throw error;
      if (Date.now() - begun + pause > REPEATED_WITHIN) {
        throw new Unreachable(error, () => repeated(method, path, sent, first));
      }
      repeating.value += 1;
      await new Promise((resolve) => setTimeout(resolve, pause));
      repeating.value -= 1;
    }
  }
}

/** Milliseconds until the same may be sent again; null: it was refused for good. @param {unknown} error @param {number} tries */
function pauseAfter(error, tries) {
  const pause = PAUSES[Math.min(tries, PAUSES.length - 1)] ?? 8000;
  if (!isAway(error)) return null;
  return Math.max(pause, error instanceof Problem ? 1000 * (error.retryAfter ?? 1) : 0);
}

/** @param {string} method @param {string} path @param {Sent} sent @param {string | null} [key] null: a stream */
async function asked(method, path, sent, key) {
  /** @type {Record<string, string>} */
  const headers = {};
  if (sent.body !== undefined) headers["Content-Type"] = sent.body instanceof Blob ? "application/octet-stream" : "application/json";
  if (key) headers["Idempotency-Key"] = key;
  if (sent.revision !== undefined) headers["If-Match"] = `"${sent.revision}"`;
  if (sent.versions) headers["Cache-Version"] = sent.versions;
  const whose = belongsToNow();
  const signals = [...(sent.signal ? [sent.signal] : []), ...(key === null ? [] : [AbortSignal.timeout(sent.within ?? ANSWERED_WITHIN)])];
  let answer;
  try {
    answer = await fetch(address(path, sent), {
      method,
      headers,
      body: /** @type {string | Blob | undefined} */ (sent.body),
      credentials: "same-origin",
      signal: AbortSignal.any(signals),
    });
  } catch (error) {
    if (sent.signal?.aborted) throw error;
    reachable.value = false;
    throw new Unreachable(error);
  }
  reachable.value = true;
  if (answer.ok || answer.status === 304) return answer;
  const problem = await problemOf(answer);
  // What was asked before somebody signed in says nothing about who did.
  if (problem.code === "not_authenticated" && whose()) signedOut();
  throw problem;
}

/** @param {string} path @param {Sent} sent */
export function address(path, { params = {}, query = {} }) {
  const filled = path.replace(/\{(\w+)\}/g, (_, name) => encodeURIComponent(String(params[name])));
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== null && value !== undefined && value !== "") search.append(name, String(value));
  }
  return search.size ? `${filled}?${search}` : filled;
}

/** @param {Response} answer */
async function problemOf(answer) {
  const wait = Number(answer.headers.get("Retry-After"));
  const told = await answer.json().catch(() => ({})); // a proxy's own page is no problem of ours
  return new Problem(answer.status, told, wait > 0 ? wait : null);
}

/** @param {Response} answer @returns {Promise<Answer<any>>} */
async function read(answer) {
  const age = Number(answer.headers.get("Age") ?? 0);
  const status = answer.headers.get("Cache-Status") ?? "";
  return {
    body: answer.status === 204 ? null : await answer.json(),
    etag: answer.headers.get("ETag"),
    versions: answer.headers.get("Cache-Version"),
    stale: status.includes("fwd=stale"),
    at: Date.now() - 1000 * age,
  };
}
