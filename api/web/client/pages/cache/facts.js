/** How the cache stands now: processes, lease, what tells of changes, the breaker, Redis. */

import { html } from "../../html.js";
import { Meaning } from "../../parts/meaning.js";
import { bytes, count, rate, seconds } from "../../service/numbers.js";
import { t } from "../../shell/text.js";

/** @typedef {import("./samples.js").CacheStatus} CacheStatus */
/** @typedef {"processes" | "lease" | "listening" | "breaker" | "memory" | "redisRate" | "errors"} Name */
/** @typedef {{name: Name, value: string, more?: string, tone?: "red" | "amber" | "green" | false}} Fact */

/** Seconds for which versions that were read may be trusted. */
const LEASE = 2;

/** @param {CacheStatus} status @returns {Fact[]} */
function factsOf({ processes, complete, lease_age_seconds: age, listening, redis }) {
  const { memory_bytes, max_memory_bytes, connections } = redis;
  const limit = max_memory_bytes === null ? t("cache.noLimit") : t("cache.memoryOf", { limit: bytes(max_memory_bytes) });
  return [
    { name: "processes", value: count(processes), more: complete ? "" : t("cache.incomplete"), tone: !complete && "amber" },
    {
      name: "lease",
      value: age === null ? t("cache.leaseNever") : seconds(age),
      tone: age === null || age > LEASE ? "red" : "green",
    },
    { name: "listening", value: t(listening ? "cache.listens" : "cache.polls"), tone: listening ? "green" : "amber" },
    {
      name: "breaker",
      value: t(`breaker.${redis.breaker}`),
      more: redis.breaker_opened ? t("cache.opened", { n: redis.breaker_opened }) : "",
      tone: redis.breaker === "open" ? "red" : "green",
    },
    {
      name: "memory",
      value: redis.available ? bytes(memory_bytes) : t("cache.away"),
      more: redis.available ? limit : "",
      tone: !redis.available && "red",
    },
    { name: "redisRate", value: rate(redis.hit_rate), more: connections === null ? "" : t("cache.connections", { n: connections }) },
    { name: "errors", value: count(redis.errors), tone: redis.errors > 0 && "amber" },
  ];
}

/** @param {{status: CacheStatus}} props */
export function Facts({ status }) {
  return html`
    <section class="figures" aria-labelledby="cache-now">
      <h2 id="cache-now">${t("cache.now")}</h2>
      <ul class="tiles" data-group="facts">
        ${factsOf(status).map(
          (one) => html`
            <li key=${one.name} class="tile" data-fact=${one.name} data-tone=${one.tone || undefined}>
              <${Meaning} of=${t(`cache.${one.name}`)} text=${t(`cacheMeaning.${one.name}`)} focusable>
                ${() => html`
                  <p class="fact">
                    <span>${t(`cache.${one.name}`)}</span><strong>${one.value}</strong>${one.more ? html`<small>${one.more}</small>` : null}
                  </p>
                `}
              </${Meaning}>
            </li>
          `,
        )}
      </ul>
    </section>
  `;
}
