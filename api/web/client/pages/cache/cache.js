/** The cache, for who runs the service: how it fares, over time and by policy, and how to have it computed anew. */

import { html, useEffect, useMemo, useState } from "../../html.js";
import { Loaded } from "../../parts/states.js";
import { get } from "../../service/api.js";
import { live } from "../../service/live.js";
import { t } from "../../shell/text.js";
import { Facts } from "./facts.js";
import { History } from "./history.js";
import { Invalidation } from "./invalidation.js";
import { Latency } from "./latency.js";
import { Policies } from "./policies.js";
import { sampled, withSample } from "./samples.js";

/** @typedef {import("./samples.js").CacheStatus} CacheStatus */
/** @typedef {import("./samples.js").Sample} Sample */

const SECONDS = 5;

export function CachePage() {
  const [samples, setSamples] = useState(/** @type {Sample[]} */ ([]));
  const status = useMemo(() => live([], (sent) => get("/v1/admin/cache", sent)), []);
  useEffect(() => status.stop, []);
  useEffect(() => {
    const timer = setInterval(() => document.visibilityState === "visible" && status.refresh(), 1000 * SECONDS);
    return () => clearInterval(timer);
  }, []);
  const answer = status.answer.value;
  useEffect(() => {
    if (answer) setSamples((before) => withSample(before, sampled(answer.body, answer.at)));
  }, [answer]);
  return html`
    <div class="page wide">
      <header class="page-head"><div><h1>${t("cache.title")}</h1><p>${t("cache.lead", { n: SECONDS })}</p></div></header>
      <${Loaded} of=${status}>
        ${(/** @type {CacheStatus} */ body) => html`
          <div class="cache">
            <${Facts} status=${body} />
            <div class="beside"><${History} samples=${samples} /><${Latency} /></div>
            <${Policies} rows=${body.policies} />
          </div>
        `}
      </${Loaded}>
      <${Invalidation} done=${() => status.refresh()} />
    </div>
  `;
}
