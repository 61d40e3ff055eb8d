/** What went wrong, in words: of the whole, and of each field. */

import { t, told } from "../shell/text.js";
import { Problem, Unreachable } from "./api.js";

/** @param {unknown} error */
export function problemText(error) {
  if (error instanceof Unreachable) return t("problem.unreachable");
  if (!(error instanceof Problem)) return t("problem.unknown");
  if (error.code === "too_many_attempts" && error.retryAfter) return waitText(error.retryAfter);
  const text = told("problem", error.code);
  return text === error.code ? error.message : text;
}

/** @param {number} seconds */
function waitText(seconds) {
  return seconds < 90 ? t("problem.waitSeconds", { n: seconds }) : t("problem.waitMinutes", { n: Math.ceil(seconds / 60) });
}

/** By the path of each field, such as `patient.age`. @param {unknown} error @returns {Record<string, string>} */
export function fieldTexts(error) {
  if (!(error instanceof Problem)) return {};
  return Object.fromEntries(
    error.errors.map((one) => {
      const text = told("field", one.code);
      return [one.path, text === one.code ? one.message : text];
    }),
  );
}
