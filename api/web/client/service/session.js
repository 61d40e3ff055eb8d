/** Who is signed in, in all tabs of this browser at once. */

import { batch, computed, signal } from "../html.js";
import { dropWrites, get, isAway, Problem, whenSignedOut, whileSessionChanges, write } from "./api.js";
import { forgetKept, keep, kept } from "./kept.js";
import { forgetKeys } from "./keys.js";

/** @typedef {import("./api.js").Schemas["SessionOut"]} Session */
/** @typedef {import("./api.js").Schemas["ClinicItem"]} Clinic */
/** @typedef {"viewer" | "clinical" | "admin" | "superuser"} Role */

/** Undefined until it is known; null: nobody. @type {import("../html.js").Signal<Session | null | undefined>} */
export const session = signal(undefined);
/** Why nobody is signed in any more: the service ended the session, not the user. */
export const wasEnded = signal(false);
/** Those that the user may see, for their names and zones. @type {import("../html.js").Signal<Clinic[]>} */
export const clinics = signal([]);
const CHOSEN = "ticket-home.clinic";
/** The one that a superuser looks at, in this tab; null: the network. @type {import("../html.js").Signal<number | null>} */
export const chosenClinic = signal(Number(sessionStorage.getItem(CHOSEN)) || null);
chosenClinic.subscribe((id) => (id === null ? sessionStorage.removeItem(CHOSEN) : sessionStorage.setItem(CHOSEN, String(id))));
/** Why nobody has said yet who is signed in. */
export const unanswered = signal(/** @type {unknown} */ (null));

const RANKS = { viewer: 0, clinical: 1, admin: 2, superuser: 3 };
/** From the one who may least. */
export const ROLES = /** @type {Role[]} */ (Object.keys(RANKS));
const tabs = new BroadcastChannel("ticket-home.session");
const CHANGED_WITHIN = 15_000;
/** Whether another tab may have put another session into the cookie, and it is not known yet whose. */
let changing = false;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let asking;
/** Whatever changed the session last. @type {Promise<unknown>} */
let lastChange = Promise.resolve();
/** The longest that a browser's timers can be set to. */
const LONGEST_TIMER = 2 ** 31 - 1;
/** Ends what is shown without a network, when the session does. @type {ReturnType<typeof setTimeout> | undefined} */
let ending;
/** In all tabs, also after this one is closed: somebody has signed out, and the service does not know it yet. */
const LEAVING = "ticket-home.leaving";
const ENDED = "ended";
const LEFT = "left";
/** @type {((ended: boolean) => void)[]} */
const forgetters = [dropWrites, forgetKept, forgetKeys];

/** @param {(ended: boolean) => void} forget called when nobody is signed in any more: nothing of patients may stay.
 *   `ended`: the service ended the session while somebody was at work. */
export function onForget(forget) {
  forgetters.push(forget);
}

/** Whether who is signed in has at least this role. @param {Role} role */
export function may(role) {
  const own = /** @type {Role | undefined} */ (session.value?.user.role);
  return own !== undefined && RANKS[own] >= RANKS[role];
}

/** Whether this browser is a wall screen. Of the sessions that a browser has, a display's alone has no idle time. */
export const isDisplay = computed(() => Boolean(session.value) && session.value?.idle_seconds === null);

/** @param {number} id @returns {string} */
export function clinicName(id) {
  return clinics.value.find((one) => one.id === id)?.name ?? String(id);
}

/** The zone of a clinic, or of the one that is looked at. @param {number | null} [id] */
export function zoneOf(id = session.value?.user.clinic_id ?? chosenClinic.value) {
  return clinics.value.find((one) => one.id === id)?.timezone ?? "America/Santiago";
}

/** When a page opens: a sign-out that was swallowed is done first, as often as it takes. @returns {Promise<unknown>} */
export function begin() {
  const leaving = localStorage.getItem(LEAVING);
  return leaving ? signOut(leaving === ENDED).catch(() => {}) : load();
}

/** Find out who is signed in; retried while nobody answers. Until then it is whoever was, in this tab. */
export async function load() {
  const leaving = localStorage.getItem(LEAVING);
  if (leaving) {
    // Another tab is at it. To help it might end the session of who signs in there meanwhile.
    leave(leaving === ENDED);
    return askAgain(2000);
  }
  try {
    const { body } = await get("/v1/auth/me");
    await enter(body);
  } catch (error) {
    if (error instanceof Problem && error.status === 401) return;
    askAgain(2000);
    unanswered.value = error;
    if (!isAway(error)) return;
    const before = session.value === undefined ? await kept("session") : null;
    if (!before || session.value !== undefined) return;
    batch(() => {
      clinics.value = before.value.clinics;
      session.value = before.value.session;
    });
    ending = setTimeout(() => leave(true), Math.min(before.value.until - Date.now(), LONGEST_TIMER));
  }
}

/** When the session ends by this browser's clock, if it is not used any more: epoch milliseconds. */
export function sessionEnd() {
  const { expires_at, idle_seconds } = session.value ?? { expires_at: "", idle_seconds: null };
  const idle = idle_seconds === null ? Infinity : Date.now() + 1000 * idle_seconds;
  return Math.min(Date.parse(expires_at) || 0, idle);
}

/** @param {string} username @param {string} password */
export async function signIn(username, password) {
  const { body } = await changed(() => write("post", "/v1/auth/login", { body: { username, password, client: "web" } }));
  await enter(body);
}

/** By the organisation's proxy, which stands before this service. */
export async function signInByOrganisation() {
  const { body } = await changed(() => write("post", "/v1/auth/iap", {}));
  await enter(body);
}

/** As a wall screen, by the code that an administrator made. @param {string} code */
export async function signInDisplay(code) {
  const { body } = await changed(() => write("post", "/v1/auth/display", { body: { code } }));
  await enter(body);
}

/** @param {boolean} [ended] not by whoever was at work: what was typed may be gone on with */
export async function signOut(ended = false) {
  const how = ended ? ENDED : LEFT;
  localStorage.setItem(LEAVING, how);
  tabs.postMessage(how); // what one tab stores is not at once what another reads
  // First here: whoever goes away from a screen without a network leaves nothing on it.
  leave(ended);
  await changed(() =>
    write("post", "/v1/auth/logout", {}).catch((error) => {
      if (!(error instanceof Problem) || error.status !== 401) throw error; // it is over already
    }),
  );
}

/**
 * Other tabs write nothing meanwhile, and ask who it is then: all of them have one cookie. What was on its way here
 * before, such as a sign-out that the network swallowed, is not sent again.
 * @template T @param {() => Promise<T>} work @returns {Promise<T>}
 */
async function changed(work) {
  dropWrites();
  tabs.postMessage("changing");
  // A sign-out whose answer came after a sign-in's would take its cookie away.
  const turn = lastChange.then(work);
  lastChange = turn.catch(() => {});
  try {
    const done = await turn;
    localStorage.removeItem(LEAVING); // whoever signed in has taken the place of the session that was to end
    return done;
  } finally {
    tabs.postMessage("changed");
    if (localStorage.getItem(LEAVING)) askAgain(2000, begin); // nobody answered, or who came meanwhile mistyped
  }
}

/** @param {Session} found */
async function enter(found) {
  if (session.value && session.value.user.id !== found.user.id) forgetAll(false);
  clearTimeout(ending);
  const isSuperuser = found.user.role === "superuser";
  batch(() => {
    changing = false;
    wasEnded.value = false;
    if (!isSuperuser) chosenClinic.value = null;
    session.value = found;
  });
  // The page reads its own meanwhile. Tickets of a clinic that was closed still count in the network, and have its name and zone.
  const named = await get("/v1/clinics", { query: { include_inactive: isSuperuser } }).catch(() => null);
  if (session.value !== found) return;
  if (!named) return askAgain(2000);
  const { body } = named;
  batch(() => {
    clinics.value = body.items;
    if (!body.items.some((one) => one.id === chosenClinic.value)) chosenClinic.value = null;
  });
  const until = sessionEnd();
  await keep("session", { value: { session: found, clinics: body.items, until }, at: Date.now() }, until);
}

/** @param {boolean} ended by the service */
function leave(ended) {
  changing = false;
  if (ended && session.value === null) return; // each of several requests was told
  clearTimeout(ending);
  forgetAll(ended);
  batch(() => {
    wasEnded.value = ended && Boolean(session.value);
    session.value = null;
    clinics.value = [];
    chosenClinic.value = null;
  });
}

/** @param {boolean} ended */
function forgetAll(ended) {
  for (const forget of forgetters) forget(ended);
}

whenSignedOut(() => leave(true));
whileSessionChanges(() => changing);
tabs.onmessage = (/** @type {MessageEvent<"changing" | "changed" | "left" | "ended">} */ { data }) => {
  if (data === LEFT || data === ENDED) return leave(data === ENDED);
  changing = true;
  askAgain(data === "changed" ? 0 : CHANGED_WITHIN);
};
// A page that the browser kept, and shows again, has heard nothing meanwhile.
addEventListener("pageshow", ({ persisted }) => {
  if (!persisted) return;
  changing = true;
  load();
});

/** @param {number} after milliseconds @param {() => Promise<unknown>} what */
function askAgain(after, what = load) {
  clearTimeout(asking);
  asking = setTimeout(what, after);
}
