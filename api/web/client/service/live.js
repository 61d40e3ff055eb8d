/**
 * An answer that follows the changes: read anew when one of its topics has another version than it was read with, once a
 * second at most, and asked to be at least that new.
 */

import { batch, effect, signal, untracked } from "../html.js";
import { Problem, Unreachable } from "./api.js";
import { heard, known, line, RIGHT_FOR } from "./events.js";
import { standing } from "./standing.js";

/** @typedef {{signal: AbortSignal, versions: string | null}} LiveSent  What a read has to send along. */
/** @typedef {"tickets" | "figures" | "catalogs" | "clinics"} Topic */
/**
 * @template Body
 * @typedef {object} Live
 * @property {import("../html.js").ReadonlySignal<import("./api.js").Answer<Body> | null>} answer  The last one; it stays where a later read fails.
 * @property {import("../html.js").ReadonlySignal<unknown>} error  Of the last read; null where it succeeded.
 * @property {import("../html.js").ReadonlySignal<boolean>} reading
 * @property {import("../html.js").ReadonlySignal<number | null>} staleSince  When what is shown was known to be right
 *   for the last time, epoch milliseconds, where that is over, or longer ago than RIGHT_FOR; else null.
 * @property {(versions?: string | null) => void} refresh  Read now; after a write with its `versions`.
 * @property {() => void} stop
 */

const AT_MOST_EVERY = 1000;
const AFTER_A_FAILURE = 3000;

/**
 * @template {import("./api.js").Answer<any>} Found
 * @param {Topic[]} topics
 * @param {(sent: LiveSent) => Promise<Found>} read  Signals that it looks at before its first `await` are followed,
 *   too.
 * @returns {Live<Found["body"]>}
 */
export function live(topics, read) {
  /** @type {import("../html.js").Signal<Found | null>} */
  const answer = signal(null);
  const error = signal(/** @type {unknown} */ (null));
  const reading = signal(false);
  const asked = signal(0);
  const staleSince = signal(/** @type {number | null} */ (null));
  /** @type {string | null} */
  let required = null;
  let readWith = "";
  /** When what is shown was right, as far as anybody has said. */
  let rightAt = 0;
  const aged = signal(0);
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let ageing;
  let readAt = -Infinity;
  let flight = new AbortController();
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;

  /** The newest versions of the topics, as `Cache-Version` has them. */
  const newest = () =>
    [...known.value].filter(([name]) => topics.some((topic) => name.endsWith(`/${topic}`))).map(([, word]) => word).join(", ");

  function later() {
    clearTimeout(timer);
    timer = setTimeout(() => (asked.value += 1), Math.max(0, readAt + AT_MOST_EVERY - performance.now()));
  }

  async function now() {
    clearTimeout(timer);
    flight.abort();
    const mine = (flight = new AbortController());
    const versions = untracked(newest);
    const sent = [versions, required].filter(Boolean).join(", ");
    readAt = performance.now();
    const askedAt = Date.now();
    const answering = read({ signal: mine.signal, versions: sent || null });
    untracked(() => (reading.value = true));
    try {
      const found = await answering;
      if (mine.signal.aborted) return;
      readWith = versions;
      rightAt = found.stale ? found.at : askedAt;
      required = null;
      batch(() => {
        answer.value = found;
        error.value = null;
        reading.value = false;
      });
      if (newest() !== versions) later();
      // No event tells when an old answer can be had anew: the versions may be the same.
      if (found.stale) timer = setTimeout(() => (asked.value += 1), AFTER_A_FAILURE);
    } catch (failure) {
      if (mine.signal.aborted) return;
      batch(() => {
        error.value = failure;
        reading.value = false;
      });
      const passes = failure instanceof Unreachable || (failure instanceof Problem && failure.status >= 429);
      const wait = (failure instanceof Problem && failure.retryAfter ? 1000 * failure.retryAfter : 0) || AFTER_A_FAILURE;
      if (passes) timer = setTimeout(() => (asked.value += 1), wait);
    }
  }

  const stops = [
    effect(() => {
      asked.value;
      now();
    }),
    effect(() => {
      const differs = newest() !== readWith;
      if (differs && line.value === "live" && !untracked(() => reading.value)) later();
    }),
    effect(() => {
      clearTimeout(ageing);
      aged.value;
      const shown = answer.value;
      const isWhole = Boolean(shown) && !shown?.stale && !error.value;
      // As long as nothing newer is told of, each word of the service's says that this is what there is.
      if (isWhole && line.value === "live" && newest() === readWith) rightAt = Math.min(Math.max(rightAt, heard.value), Date.now());
      const left = rightAt + RIGHT_FOR - Date.now();
      const isSure = isWhole && left > 0 && (standing.value === "live" || standing.value === "connecting");
      staleSince.value = !shown || isSure ? null : rightAt;
      if (isSure) ageing = setTimeout(() => (aged.value += 1), left);
    }),
  ];

  return {
    answer,
    error,
    reading,
    staleSince,
    refresh(versions = null) {
      required = versions ?? required;
      asked.value += 1;
    },
    stop() {
      for (const stop of stops) stop();
      clearTimeout(timer);
      clearTimeout(ageing);
      flight.abort();
    },
  };
}
