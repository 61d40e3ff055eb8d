/** Numbers as people of the chosen language write them. What is null is a dash: there is nothing to make it of. */

import { language } from "../shell/text.js";

const NONE = "–";

/** @param {number | null} value @param {Intl.NumberFormatOptions} [options] */
function written(value, options) {
  return value === null ? NONE : new Intl.NumberFormat(language.value, options).format(value);
}

/** "1.204" @param {number | null} value */
export function count(value) {
  return written(value);
}

/** "87,2 %" @param {number | null} value of 0 to 1 @param {number} [digits] */
export function rate(value, digits = 1) {
  return written(value, { style: "percent", maximumFractionDigits: digits });
}

/** "1,08" @param {number | null} value */
export function ratio(value) {
  return written(value, { minimumFractionDigits: 2, maximumFractionDigits: 2 });
}

/** @param {number | null} value @param {string} unit @param {number} [digits] */
function measured(value, unit, digits = 0) {
  return written(value, { style: "unit", unit, unitDisplay: "short", maximumFractionDigits: digits });
}

/** "14 min", "1 h 36 min" @param {number | null} minutes */
export function duration(minutes) {
  const whole = minutes === null ? null : Math.round(minutes);
  if (whole === null || Math.abs(whole) < 60) return measured(whole, "minute");
  return `${measured(Math.trunc(whole / 60), "hour")} ${measured(Math.abs(whole % 60), "minute")}`;
}

/** "41,5 h" @param {number} value */
export function hours(value) {
  return measured(value, "hour", 1);
}

/** "0,41 s" @param {number | null} value */
export function seconds(value) {
  return measured(value, "second", 2);
}

/** "3,2 ms" @param {number | null} value */
export function milliseconds(value) {
  return measured(value, "millisecond", value !== null && value < 10 ? 1 : 0);
}

/** "1,9 MB" @param {number | null} value */
export function bytes(value) {
  if (value === null || value < 1000) return measured(value, "byte");
  if (value < 1e6) return measured(value / 1e3, "kilobyte");
  return measured(value / 1e6, "megabyte", 1);
}
