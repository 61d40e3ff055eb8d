/** The dashboard: a clinic's figures, or the network's, each of which leads to the tickets behind it. */

import { html, useEffect, useMemo } from "../../html.js";
import { Loaded } from "../../parts/states.js";
import { get } from "../../service/api.js";
import { live } from "../../service/live.js";
import { chosenClinic } from "../../service/session.js";
import { hour } from "../../service/times.js";
import { t } from "../../shell/text.js";
import { Curve } from "./curve.js";
import { FigureFilters } from "./filters.js";
import { Rankings } from "./rankings.js";
import { Recent } from "./recent.js";
import { Tiles } from "./tiles.js";

/** @typedef {import("./figures.js").Dashboard} Dashboard */
/** @typedef {import("./figures.js").Filters} Filters */
/** @typedef {import("../../service/live.js").Live<Dashboard>} LiveDashboard */

/** @param {{query: URLSearchParams}} props */
export function DashboardPage({ query }) {
  const clinic = chosenClinic.value;
  const filters = {
    date_from: query.get("date_from"),
    date_to: query.get("date_to"),
    surgery_id: query.get("surgery_id"),
  };
  return html`
    <div class="page wide">
      <header class="page-head"><h1>${t("dashboard.title")}</h1></header>
      <${FigureFilters} key=${clinic} filters=${filters} />
      <${Figures} key=${JSON.stringify([clinic, filters])} clinic=${clinic} filters=${filters} />
    </div>
  `;
}

/** Of one question: another one begins anew, and never stands beside the figures of the last.
 * @param {{clinic: number | null, filters: Filters}} props */
function Figures({ clinic, filters }) {
  const figures = useMemo(() => {
    const { date_from, date_to } = filters;
    const surgery_id = filters.surgery_id ? Number(filters.surgery_id) : null;
    const query = { clinic_id: clinic, date_from, date_to, surgery_id };
    return live(["figures", "catalogs", "clinics"], (sent) => get("/v1/dashboard", { ...sent, query }));
  }, []);
  useEffect(() => figures.stop, []);
  useOverAt(figures);
  return html`
    <${Loaded} of=${figures}>
      ${(/** @type {Dashboard} */ body) => html`
        <div class="dashboard">
          <${Tiles} group="now" body=${body} filters=${filters} />
          <${Curve} hours=${body.by_hour} filters=${filters} />
          <${Tiles} group="pace" body=${body} filters=${filters} />
          <${Tiles} group="volume" body=${body} filters=${filters} />
          <${Rankings} body=${body} filters=${filters} />
          <${Recent} tickets=${body.recent_tickets} />
          <p class="made">${t("dashboard.made", { hour: hour(body.generated_at) })}</p>
        </div>
      `}
    </${Loaded}>
  `;
}

/** Reads anew when the clock alone changes a figure: no event tells that. @param {LiveDashboard} figures */
function useOverAt(figures) {
  const answer = figures.answer.value;
  useEffect(() => {
    if (!answer || answer.stale) return undefined;
    const lasts = Date.parse(answer.body.valid_until) - Date.parse(answer.body.generated_at);
    const timer = setTimeout(() => figures.refresh(), Math.max(1000, answer.at + lasts - Date.now() + 200));
    return () => clearTimeout(timer);
  }, [answer]);
}
