/** Why these tickets: the figure of the dashboard that they are of, with a way back and a way to all. */

import { html } from "../../html.js";
import { Icon } from "../../parts/icon.js";
import { dayAndHour } from "../../service/times.js";
import { address } from "../../service/api.js";
import { may } from "../../service/session.js";
import { setQuery } from "../../shell/router.js";
import { t, told } from "../../shell/text.js";

/** @param {{query: URLSearchParams}} props */
export function Reason({ query }) {
  const figure = query.get("figure");
  if (!figure) return null;
  const at = query.get("at");
  const same = Object.fromEntries(["date_from", "date_to", "surgery_id"].map((name) => [name, query.get(name)]));
  const others = () => setQuery({ figure: null, at: null, reason_id: null, doctor_id: null });
  return html`
    <div class="reason">
      <p><${Icon} name="filter" /><strong>${told("figureTickets", figure)}</strong>${at ? html`<span>${dayAndHour(at)}</span>` : null}</p>
      <div class="actions">
        ${may("admin") ? html`<a class="button" href=${address("/dashboard", { query: same })}>${t("tickets.toDashboard")}</a>` : null}
        <button type="button" onClick=${others}>${t("tickets.all")}</button>
      </div>
    </div>
  `;
}
