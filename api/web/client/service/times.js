/**
 * Times in the clinic's zone, whatever the browser's is. The service's times carry the clinic's offset, so what stands
 * in them is the clinic's own time; only instants of this browser's clock need a zone.
 */

import { language } from "../shell/text.js";

const HOUR = 3_600_000;

/** The clinic's own date and time, as Intl shows them in UTC. @param {string} time */
function asWritten(time) {
  return new Date(`${time.slice(0, 19)}Z`);
}

/** @param {Intl.DateTimeFormatOptions} options @param {string} [zone] */
function format(options, zone = "UTC") {
  return new Intl.DateTimeFormat(language.value, { ...options, timeZone: zone });
}

/** "14:02" @param {string} time */
export function hour(time) {
  return time.slice(11, 16);
}

/** "mié 15 ene" @param {string} time */
export function day(time) {
  return format({ weekday: "short", day: "numeric", month: "short" }).format(asWritten(time));
}

/** "mié 15 ene": the day on which the block of an FPA begins; one that ends at midnight does so the day before. @param {string} fpa */
export function dayOfBlock(fpa) {
  const ends = Math.round(asWritten(fpa).getTime() / HOUR) * HOUR;
  return day(new Date(ends - 2 * HOUR).toISOString());
}

/** "mié 15 ene, 14:02" @param {string} time */
export function dayAndHour(time) {
  return `${day(time)}, ${hour(time)}`;
}

/** "15-01-2025 14:02", for tables. @param {string} time */
export function full(time) {
  return `${format({ day: "2-digit", month: "2-digit", year: "numeric" }).format(asWritten(time))} ${hour(time)}`;
}

/** "14:02", of this browser's clock. @param {number} instant epoch milliseconds @param {string} zone */
export function hourOf(instant, zone) {
  return format({ hour: "2-digit", minute: "2-digit", hourCycle: "h23" }, zone).format(instant);
}

/** "2025-01-15", of this browser's clock. @param {number} instant epoch milliseconds @param {string} zone */
export function dateOf(instant, zone) {
  return new Intl.DateTimeFormat("sv-SE", { timeZone: zone }).format(instant);
}

/** @param {string} date such as 2025-01-15 @param {number} days @returns {string} the date so many days later */
export function daysAfter(date, days) {
  const at = new Date(`${date}T12:00:00Z`);
  at.setUTCDate(at.getUTCDate() + days);
  return at.toISOString().slice(0, 10);
}

/** "14:02:10", of this browser's clock. @param {number} instant epoch milliseconds @param {string} zone */
export function secondOf(instant, zone) {
  return format({ hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" }, zone).format(instant);
}
