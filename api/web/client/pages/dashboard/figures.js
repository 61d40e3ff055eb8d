/**
 * The figures that stand as tiles, in their groups. A new one of the API is a line here, and three texts: `figure.…` its
 * name, `figureMeaning.…` what it means, `figureTickets.…` which tickets the list by it has.
 */

import { count, duration, rate, ratio } from "../../service/numbers.js";
import { address } from "../../service/api.js";

/** @typedef {import("../../service/api.js").Schemas["Dashboard"]} Dashboard */
/** @typedef {import("../../service/api.js").Schemas["Figure"]} FigureName */
/** @typedef {"early_discharges" | "on_time"} Counted  What a rate counts. */
/** @typedef {Exclude<FigureName, Counted | "hour" | "delays" | "hours_lost">} Name */
/**
 * @typedef {object} Figure
 * @property {Name} name  A list of tickets has those that it is of by the same name.
 * @property {(body: Dashboard) => number | null} value
 * @property {(value: number | null) => string} shown
 * @property {Counted} [counted]  Of a rate: those of its tickets that it counts.
 * @property {string} [sort]  Of its list, where the newest first is not what one looks for.
 * @property {"red" | "amber" | "green"} [tone]  Where there are any.
 */

/** @param {Name & keyof Dashboard["kpis"]} name @param {Partial<Figure>} [more] @returns {Figure} */
const kpi = (name, more = {}) => ({ name, value: (body) => body.kpis[name], shown: count, ...more });
/** @param {Name & Exclude<keyof Dashboard["flow"], "delays">} name @param {Partial<Figure>} [more] @returns {Figure} */
const flow = (name, more = {}) => ({ name, value: (body) => body.flow[name], shown: count, ...more });

/** @typedef {"now" | "pace" | "volume"} Group */
/** @type {Record<Group, Figure[]>} */
export const GROUPS = {
  now: [
    kpi("overdue", { tone: "red", sort: "current_fpa" }),
    flow("ready_waiting", { tone: "amber", sort: "current_fpa" }),
    kpi("near_deadline", { sort: "current_fpa" }),
    kpi("active", { sort: "current_fpa" }),
    flow("long_stay", { tone: "amber", sort: "current_fpa" }),
    kpi("discharged_today", { tone: "green" }),
  ],
  pace: [
    flow("early_discharge_rate", { shown: rate, counted: "early_discharges" }),
    kpi("on_time_rate", { shown: rate, counted: "on_time" }),
    kpi("mean_delay_minutes", { shown: duration }),
    flow("mean_ready_wait_minutes", { shown: duration }),
    flow("stay_ratio", { shown: ratio }),
  ],
  volume: [
    kpi("created_today"),
    kpi("created_this_week"),
    kpi("created_this_month"),
    kpi("total"),
    kpi("discharged"),
    kpi("annulled"),
    { name: "modified", value: (body) => body.modifications.tickets, shown: count },
  ],
};

/** @typedef {{date_from?: string | null, date_to?: string | null, surgery_id?: string | null}} Filters */

/** Where the tickets are that a figure counts. @param {Filters} filters @param {Record<string, unknown>} asked */
export function listOf(filters, asked) {
  return address("/tickets", { query: { ...filters, ...asked } });
}
