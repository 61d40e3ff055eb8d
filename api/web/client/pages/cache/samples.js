/** What the page saw of the cache's counters while it was open: of each stretch between two looks, how it fared. */

/** @typedef {import("../../service/api.js").Schemas["CacheStatus"]} CacheStatus */
/** @typedef {{hits: number, reads: number}} Sums  Since the processes started. */
/** @typedef {{at: number, processes: number, of: Record<string, Sums>}} Sample  `of`: by policy. */
/** @typedef {{from: number, to: number, hits: number, reads: number, rate: number | null}} Stretch  `rate` null: nobody
 *   asked, or the counters began anew. */

/** Half an hour of looks. */
const MOST = 360;

/** Each read asks memory first, and is a hit where memory or Redis has it.
 * @param {CacheStatus} status @param {number} at @returns {Sample} */
export function sampled({ policies, processes }, at) {
  /** @type {Record<string, Sums>} */
  const of = {};
  for (const one of policies) {
    const sums = (of[one.policy] ??= { hits: 0, reads: 0 });
    sums.hits += one.hits;
    if (one.tier === "memory") sums.reads += one.hits + one.misses;
  }
  return { at, processes, of };
}

/** What no reader asked for: the service's own trials, and who it is that asks. */
const BESIDE = ["canary", "session"];

/** @param {Sample} sample @param {string} policy "": of all answers @returns {Sums} */
function sumsOf({ of }, policy) {
  const names = policy ? [policy] : Object.keys(of).filter((name) => !BESIDE.includes(name));
  const sums = names.map((name) => of[name] ?? { hits: 0, reads: 0 });
  return { hits: sums.reduce((all, one) => all + one.hits, 0), reads: sums.reduce((all, one) => all + one.reads, 0) };
}

/** @param {Sample[]} before @param {Sample} one @returns {Sample[]} */
export function withSample(before, one) {
  return [...before, one].slice(-MOST);
}

/** @param {Sample[]} samples @param {string} policy "": of all answers @returns {Stretch[]} */
export function stretches(samples, policy) {
  return samples.slice(1).map((now, at) => {
    const before = /** @type {Sample} */ (samples[at]);
    const [then, later] = [sumsOf(before, policy), sumsOf(now, policy)];
    const [hits, reads] = [later.hits - then.hits, later.reads - then.reads];
    const counts = now.processes === before.processes && hits >= 0 && reads > 0 && hits <= reads;
    return { from: before.at, to: now.at, hits, reads: Math.max(0, reads), rate: counts ? hits / reads : null };
  });
}
