/** The list, page by page. The first follows the changes; later ones keep to the moment at which the first was read. */

import { html, useEffect, useMemo, useState } from "../../html.js";
import { Empty, Loaded } from "../../parts/states.js";
import { Turns } from "../../parts/turns.js";
import { get } from "../../service/api.js";
import { live } from "../../service/live.js";
import { count } from "../../service/numbers.js";
import { zoneOf } from "../../service/session.js";
import { hourOf } from "../../service/times.js";
import { t } from "../../shell/text.js";
import { TicketTable } from "./table.js";

/** @typedef {import("../../service/api.js").Schemas["TicketList"]} TicketList */
/** @typedef {{cursor: string | null, since: number | null}} Turn  `since`: whose states a later page has, epoch ms. */

const LIMIT = 50;
/** How often the clock alone makes another state of a ticket: no event tells that. */
const MINUTE = 60_000;

/** @param {{asked: import("./asked.js").Query}} props */
export function Pages({ asked }) {
  const [turns, setTurns] = useState(/** @type {Turn[]} */ ([{ cursor: null, since: null }]));
  const [total, setTotal] = useState(/** @type {TicketList | null} */ (null));
  const turn = /** @type {Turn} */ (turns.at(-1));
  const tickets = useMemo(
    () => live(["tickets", "catalogs"], (sent) => get("/v1/tickets", { ...sent, query: { ...asked, limit: LIMIT, cursor: turn.cursor } })),
    [turn.cursor],
  );
  useEffect(() => tickets.stop, [tickets]);
  useEffect(() => {
    const timer = setInterval(() => turn.cursor === null && tickets.refresh(), MINUTE);
    return () => clearInterval(timer);
  }, [tickets]);
  const found = tickets.answer.value;
  useEffect(() => {
    if (found && found.body.total !== null) setTotal(found.body);
  }, [found]);
  const forward = () => found && setTurns([...turns, { cursor: found.body.next, since: turn.since ?? found.at }]);
  return html`
    <${Total} of=${total} />
    ${turn.since === null ? null : html`<p class="as-of" role="status">${t("tickets.asOf", { hour: hourOf(turn.since, zoneOf()) })}</p>`}
    <${Loaded} of=${tickets}>
      ${(/** @type {TicketList} */ body) =>
        body.items.length ? html`<${TicketTable} tickets=${body.items} />` : html`<${Empty} title=${t("tickets.none")} />`}
    </${Loaded}>
    <${Turns}
      page=${turns.length}
      back=${turns.length > 1 ? () => setTurns(turns.slice(0, -1)) : null}
      forward=${found?.body.next ? forward : null}
    />
  `;
}

/** How many there are on all pages together. @param {{of: TicketList | null}} props */
function Total({ of }) {
  if (!of || of.total === null) return html`<p class="list-total" />`;
  const text = of.total_more ? t("tickets.more", { total: count(of.total) }) : t("tickets.total", { n: of.total, total: count(of.total) });
  return html`<p class="list-total" role="status" data-total=${of.total}>${text}</p>`;
}
