/** What the board shows and why: its question, which stands in the address, and the answer that follows the changes. */

import { computed, effect, signal } from "../../html.js";
import { get, isAway } from "../../service/api.js";
import { drafted, draftOf } from "../../service/drafts.js";
import { kept } from "../../service/kept.js";
import { live } from "../../service/live.js";
import { chosenClinic } from "../../service/session.js";
import { setQuery } from "../../shell/router.js";
import { keptAs, newKeeper } from "./keeper.js";

/** @typedef {import("../../service/api.js").Schemas["NursingBoard"]} NursingBoard */
/** @typedef {import("../../service/api.js").Schemas["TicketSummary"]} Ticket */
/** @typedef {NonNullable<import("../../service/contract.d.ts").QueryOf<"/v1/nursing-board", "get">>} Question */
/** @typedef {ReturnType<typeof newBoard>} Board */

export const VIEWS = /** @type {const} */ ([
  "active", "overdue", "ready", "forgotten", "without_episode", "discharged", "annulled", "all",
]);
/** Of the view `active`. */
export const URGENCIES = /** @type {const} */ (["critical", "warning", "normal", "scheduled"]);
export const SORTS = /** @type {const} */ ([
  "urgency", "-urgency", "current_fpa", "-current_fpa", "bed", "-bed", "doctor", "-doctor", "-created_at", "created_at",
]);
export const FILTERS = /** @type {const} */ ([
  "location", "surgery_id", "doctor_id", "specialty_id", "fpa_from", "fpa_to", "surgery_from", "surgery_to", "date_from", "date_to",
]);
const ASKED = ["view", "urgency", "sort", "q", ...FILTERS];
const ON_A_PAGE = 500;
/** For which a ticket that somebody changed is marked, milliseconds. */
export const MARKED_FOR = 4000;

/** As they stood before; new ones at the end. @param {Ticket[]} items @param {string[]} places */
function inPlaces(items, places) {
  const at = new Map(places.map((id, place) => [id, place]));
  return [...items].sort((one, other) => (at.get(one.id) ?? Infinity) - (at.get(other.id) ?? Infinity) || 0);
}

/** @param {URLSearchParams} query the address's */
export function newBoard(query) {
  /** @type {import("../../html.js").Signal<Record<string, string>>} */
  const question = signal(Object.fromEntries(ASKED.flatMap((name) => (query.get(name) ? [[name, query.get(name) ?? ""]] : []))));
  const pages = signal(1);
  /** Ticket → when a change of it was seen. */
  const changed = signal(/** @type {Map<string, number>} */ (new Map()));
  /** Tickets that are written at the moment. */
  const pending = signal(/** @type {Set<string>} */ (new Set()));
  const chosen = signal(/** @type {Set<string>} */ (new Set()));
  const keeper = newKeeper();
  /** The ticket whose bed, location and episode are edited, with what was typed. */
  const editing = signal(/** @type {{ticket: Ticket, values: Record<string, string>} | null} */ (draftOf("board") ?? null));
  const stopDraft = drafted("board", () => editing.peek() ?? undefined);

  const it = live(["tickets", "catalogs"], async ({ signal: stop, versions }) => {
    const asked = /** @type {Question} */ ({ ...question.value, clinic_id: chosenClinic.value, limit: ON_A_PAGE });
    const of = JSON.stringify(asked);
    const wanted = pages.value;
    try {
      const first = await get("/v1/nursing-board", { query: asked, signal: stop, versions });
      const body = { .../** @type {NursingBoard} */ (first.body), of };
      for (let page = 1; page < wanted && body.next; page++) {
        const more = await get("/v1/nursing-board", { query: { ...asked, cursor: body.next }, signal: stop, versions });
        const rest = /** @type {NursingBoard} */ (more.body);
        body.items.push(...rest.items);
        body.next = rest.next;
      }
      if (!first.stale) keeper.keep(of, body, first.at);
      return { ...first, body };
    } catch (error) {
      const before = isAway(error) ? await kept(keptAs(of)) : null;
      if (!before) throw error;
      return { body: /** @type {NursingBoard & {of: string}} */ (before.value), etag: null, versions: null, stale: true, at: before.at };
    }
  });
  /** @type {string[]} */
  let places = [];
  const items = computed(() => {
    const found = it.answer.value?.body.items ?? [];
    // While somebody types in a card, it does not run away.
    const shown = editing.value ? inPlaces(found, places) : found;
    places = shown.map((one) => one.id);
    return shown;
  });

  /** @type {Map<string, number>} */
  let revisions = new Map();
  let of = "";
  const stopMarking = effect(() => {
    const shown = items.value;
    const asked = it.answer.peek()?.body.of ?? "";
    const now = Date.now();
    // Another question's tickets are new to the screen, and not changed.
    const differ = of === asked ? shown.filter((one) => revisions.get(one.id) !== one.revision) : [];
    if (differ.length) {
      const still = [...changed.peek()].filter(([, at]) => now - at < MARKED_FOR);
      changed.value = new Map([...still, ...differ.map((one) => /** @type {const} */ ([one.id, now]))]);
    }
    if (!shown.length && !it.answer.peek()) return;
    revisions = new Map(shown.map((one) => [one.id, one.revision]));
    of = asked;
  });

  return {
    question,
    pages,
    changed,
    pending,
    chosen,
    editing,
    it,
    items,
    /** Whether what is shown is of the question as it stands now. */
    isAnswered() {
      const asked = { ...question.value, clinic_id: chosenClinic.value, limit: ON_A_PAGE };
      return it.answer.value?.body.of === JSON.stringify(asked);
    },
    /** @param {Record<string, string | null>} changes of the question; null takes one away */
    ask(changes) {
      const next = { ...question.value };
      for (const [name, value] of Object.entries(changes)) {
        if (value) next[name] = value;
        else delete next[name];
      }
      pages.value = 1;
      chosen.value = new Set();
      question.value = next;
      setQuery(changes);
    },
    stop() {
      stopMarking();
      stopDraft();
      keeper.stop();
      it.stop();
    },
  };
}
