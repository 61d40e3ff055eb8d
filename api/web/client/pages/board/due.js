/** States follow the clock, and no event tells of that: the board is read again at the moment when one changes. */

import { useEffect } from "../../html.js";
import { now } from "../../service/clock.js";

const HOUR = 3_600_000;
/** Hours after the FPA at which an overdue patient is forgotten. */
const FORGOTTEN = 72;
/** A moment later: the service's clock has to have reached it. */
const LATER = 300;
/** At the most between two reads where thresholds of several clinics count. */
const LONGEST = 10 * 60_000;

/** @param {import("./state.js").Board} board */
export function useDue(board) {
  const body = board.it.answer.value?.body;
  useEffect(() => {
    if (!body) return undefined;
    const timer = setTimeout(() => board.it.refresh(), Math.min(LONGEST, nextChange(body) + LATER));
    return () => clearTimeout(timer);
  }, [body]);
}

/** Milliseconds until the first of the shown tickets has another state. @param {import("./state.js").NursingBoard} body */
function nextChange({ items, thresholds }) {
  const hours = [thresholds.red_hours, thresholds.yellow_hours, thresholds.green_hours, 0, -FORGOTTEN];
  let first = Infinity;
  for (const one of items) {
    if (one.status !== "active") continue;
    const fpa = Date.parse(one.current_fpa);
    for (const moment of [Date.parse(one.admission_at), ...hours.map((left) => fpa - left * HOUR)]) {
      if (moment > now.peek()) first = Math.min(first, moment - now.peek());
    }
  }
  return first;
}
