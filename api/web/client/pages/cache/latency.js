/** How long answers took that this tab asked for: the service says with each (Server-Timing), by where it was found. */

import { html, useEffect, useState } from "../../html.js";
import { Table } from "../../parts/table.js";
import { count, milliseconds } from "../../service/numbers.js";
import { t } from "../../shell/text.js";

/** @typedef {{kind: string, service: number, here: number}} Timed  Milliseconds. */
/** @typedef {{kind: string, of: Timed[]}} Kind */

/** Requests of which it is told. */
const MOST = 500;

/** @param {PerformanceEntry} entry @returns {Timed[]} none: it is of something else */
function timed(entry) {
  const { serverTiming, duration, name } = /** @type {PerformanceResourceTiming} */ (entry);
  const total = serverTiming?.find((one) => one.name === "total");
  if (!total || !new URL(name).pathname.startsWith("/v1/")) return [];
  const cache = serverTiming.find((one) => one.name === "cache");
  return [{ kind: cache?.description || "", service: total.duration, here: duration }];
}

/** @param {number[]} numbers not empty @param {number} part of 0 to 1 */
function quantile(numbers, part) {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? 0;
}

/** @param {number} part @param {"service" | "here"} where @returns {(kind: Kind) => string} */
function took(part, where) {
  return ({ of }) => milliseconds(quantile(of.map((one) => one[where]), part));
}

export function Latency() {
  const [seen, setSeen] = useState(/** @type {Timed[]} */ ([]));
  useEffect(() => {
    const observer = new PerformanceObserver((list) => {
      const more = list.getEntries().flatMap(timed);
      if (more.length) setSeen((before) => [...before, ...more].slice(-MOST));
    });
    observer.observe({ type: "resource", buffered: true });
    return () => observer.disconnect();
  }, []);
  const names = [...new Set(seen.map((one) => one.kind))].sort();
  const kinds = names.map((kind) => ({ kind, of: seen.filter((one) => one.kind === kind) }));
  const columns = [
    { label: t("latency.kind"), cell: (/** @type {Kind} */ { kind }) => kind || t("latency.uncached") },
    { label: t("latency.requests"), cell: (/** @type {Kind} */ { of }) => count(of.length), number: true },
    { label: t("latency.median"), cell: took(0.5, "service"), number: true },
    { label: t("latency.slow"), cell: took(0.95, "service"), number: true },
    { label: t("latency.here"), cell: took(0.5, "here"), number: true },
  ];
  return html`
    <section class="panel latency">
      <header><h2>${t("latency.title")}</h2><p>${t("latency.text")}</p></header>
      <${Table} caption=${t("latency.title")} columns=${columns} rows=${kinds} id=${(/** @type {Kind} */ one) => one.kind} />
    </section>
  `;
}
