/** What a wall shows: whoever is in a bed or will be, most urgent first, a screen full at a time. */

import { computed, effect, signal } from "../../html.js";
import { get } from "../../service/api.js";
import { now, setClock } from "../../service/clock.js";
import { live } from "../../service/live.js";

/** @typedef {import("../../service/api.js").Schemas["DisplayBoard"]} DisplayBoard */
/** @typedef {import("../../service/api.js").Schemas["DisplayedTicket"]} Displayed */
/** @typedef {ReturnType<typeof newWall>} WallState */

/** For which a screen full stays, milliseconds: long enough to read it from the door. */
const TURNS_EVERY = 12_000;
/** States follow the clock, and no event tells of that. */
const READ_EVERY = 30_000;
const FORGOTTEN = 72 * 3_600_000;
const MOST = 500;

/** @param {string | null} location */
export function newWall(location) {
  const it = live(["tickets", "catalogs"], (sent) =>
    get("/v1/nursing-board", { ...sent, query: { view: "all", location, limit: MOST } }),
  );
  const fitting = signal(12);
  const page = signal(0);
  const tickets = computed(() => {
    const items = /** @type {Displayed[]} */ (it.answer.value?.body.items ?? []);
    return items.filter(isShown);
  });
  const pages = computed(() => Math.max(1, Math.ceil(tickets.value.length / fitting.value)));
  const turning = setInterval(() => (page.value = (page.value + 1) % pages.value), TURNS_EVERY);
  const reading = setInterval(() => it.refresh(), READ_EVERY);
  const stopClock = effect(() => {
    const answer = it.answer.value;
    if (answer && !answer.stale) setClock(answer.body.now);
  });
  return {
    it,
    tickets,
    pages,
    /** How many tickets fit on the screen. */
    fitting,
    page: computed(() => Math.min(page.value, pages.value - 1)),
    stop() {
      clearInterval(turning);
      clearInterval(reading);
      stopClock();
      it.stop();
    },
  };
}

/** @param {Displayed} ticket */
function isShown({ state, current_fpa }) {
  if (state === "discharged" || state === "annulled") return false;
  return Date.parse(current_fpa) > now.peek() - FORGOTTEN;
}
