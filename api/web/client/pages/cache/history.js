/** The hit rate over time: what this page saw since it was opened, and says so. A stretch in which nobody asked is a gap. */

import { html, useSignal } from "../../html.js";
import { SelectField } from "../../parts/form.js";
import { count, rate } from "../../service/numbers.js";
import { zoneOf } from "../../service/session.js";
import { secondOf } from "../../service/times.js";
import { t } from "../../shell/text.js";
import { stretches } from "./samples.js";

/** @typedef {import("./samples.js").Sample} Sample */
/** @typedef {import("./samples.js").Stretch} Stretch */

const [WIDTH, TALL, LEFT] = [960, 160, 44];
/** Milliseconds that the picture shows at least, so that its beginning is not drawn out. */
const SPAN = 5 * 60_000;
/** Lines across, and what stands beside them. */
const MARKS = [0, 0.5, 1];

/** @param {{samples: Sample[]}} props */
export function History({ samples }) {
  const policy = useSignal("");
  const [first, last] = [samples[0], samples.at(-1)];
  if (!first || !last) return null;
  const policies = Object.keys(last.of).map((one) => ({ value: one, label: one }));
  const counted = stretches(samples, policy.value).filter((one) => one.rate !== null);
  const [hits, reads] = [counted.reduce((sum, one) => sum + one.hits, 0), counted.reduce((sum, one) => sum + one.reads, 0)];
  const told = reads ? t("history.told", { rate: rate(hits / reads), reads: count(reads) }) : t("history.none");
  const span = Math.max(SPAN, last.at - first.at);
  const x = (/** @type {number} */ at) => LEFT + ((WIDTH - LEFT) * (at - first.at)) / span;
  const y = (/** @type {number} */ value) => 10 + TALL * (1 - value);
  const zone = zoneOf();
  return html`
    <section class="panel hit-history">
      <header><h2>${t("history.title")}</h2><p>${t("history.since", { time: secondOf(first.at, zone) })}</p></header>
      <div class="told">
        <${SelectField} name="policy" label=${t("policies.policy")} value=${policy} options=${[{ value: "", label: t("history.all") }, ...policies]} />
        <strong>${told}</strong>
      </div>
      <div class="scrolled" tabindex="0" role="region" aria-label=${t("history.title")}>
        <svg class="chart" viewBox=${`0 0 ${WIDTH} 200`} role="img" aria-label=${told}>
          ${MARKS.map(
            (mark) => html`
              <g key=${mark}>
                <line class="floor" x1=${LEFT} y1=${y(mark)} x2=${WIDTH} y2=${y(mark)} />
                <text text-anchor="end" x=${LEFT - 6} y=${y(mark) + 4}>${rate(mark, 0)}</text>
              </g>
            `,
          )}
          ${counted.map((one) => html`<${Step} key=${one.to} one=${one} x=${x} y=${y} />`)}
          <text text-anchor="start" x=${LEFT} y="194">${secondOf(first.at, zone)}</text>
          <text text-anchor="end" x=${WIDTH} y="194">${secondOf(first.at + span, zone)}</text>
        </svg>
      </div>
      <${StretchTable} counted=${counted} zone=${zone} />
    </section>
  `;
}

/** A stretch is as wide as it lasted: what lies between two looks is one number, and no line from one to the next.
 * @param {{one: Stretch, x: (at: number) => number, y: (value: number) => number}} props */
function Step({ one, x, y }) {
  const value = one.rate ?? 0;
  const [from, to] = [x(one.from), x(one.to)];
  return html`
    <g class="step">
      <rect x=${from} y=${y(value)} width=${to - from} height=${y(0) - y(value)} />
      <line x1=${from} y1=${y(value)} x2=${to} y2=${y(value)} />
    </g>
  `;
}

/** The same for who reads by ear; the newest first. @param {{counted: Stretch[], zone: string}} props */
function StretchTable({ counted, zone }) {
  return html`
    <table class="for-ears">
      <caption>${t("history.title")}</caption>
      <thead>
        <tr><th scope="col">${t("history.time")}</th><th scope="col">${t("history.rate")}</th><th scope="col">${t("history.reads")}</th></tr>
      </thead>
      <tbody>
        ${counted
          .slice(-12)
          .reverse()
          .map((one) => html`<tr key=${one.to}><td>${secondOf(one.to, zone)}</td><td>${rate(one.rate)}</td><td>${count(one.reads)}</td></tr>`)}
      </tbody>
    </table>
  `;
}
