/** All tickets, of all years: searched, filtered, in an order; or those that a figure of the dashboard counts. */

import { html } from "../../html.js";
import { chosenClinic } from "../../service/session.js";
import { t } from "../../shell/text.js";
import { askedBy, filtersIn } from "./asked.js";
import { TicketFilters } from "./filters.js";
import { Pages } from "./pages.js";
import { Reason } from "./reason.js";

/** @param {{query: URLSearchParams}} props */
export function TicketsPage({ query }) {
  const asked = askedBy(query, chosenClinic.value);
  return html`
    <div class="page wide">
      <header class="page-head"><h1>${t("tickets.title")}</h1></header>
      <${Reason} query=${query} />
      <${TicketFilters} filters=${filtersIn(query)} sort=${query.get("sort")} />
      <${Pages} key=${JSON.stringify(asked)} asked=${asked} />
    </div>
  `;
}
