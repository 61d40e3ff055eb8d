/**
 * What a tab may still show when it is opened without a network: encrypted, by a key that this tab alone has, for as long
 * as the session lasts. All of it is deleted when somebody signs out, is signed out, or another one signs in.
 */

/** @typedef {{value: any, at: number}} Kept  `at`: when it was right, epoch milliseconds. */

const STORE = "ticket-home.kept";
const KEY = "ticket-home.key";
const UNTIL = "x-until";
/** Rises when all is forgotten: what was being kept then is not. */
let forgotten = 0;

/** The tab's own: gone with it. @returns {Promise<{key: CryptoKey, tab: string} | null>} null where a page may not encrypt. */
async function own() {
  if (!("caches" in globalThis) || !crypto.subtle) return null; // over plain HTTP nothing is kept
  const raw = sessionStorage.getItem(KEY) ?? newKey();
  const bytes = Uint8Array.from(raw, (letter) => letter.charCodeAt(0));
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  const tab = Array.from(digest.slice(0, 8), (byte) => byte.toString(16).padStart(2, "0")).join("");
  return { key: await crypto.subtle.importKey("raw", bytes, "AES-GCM", false, ["encrypt", "decrypt"]), tab };
}

function newKey() {
  const raw = String.fromCharCode(...crypto.getRandomValues(new Uint8Array(32)));
  sessionStorage.setItem(KEY, raw);
  return raw;
}

/** @param {string} tab @param {string} name */
function place(tab, name) {
  return `/kept/${tab}/${name}`;
}

/** @param {string} name @param {Kept} what @param {number} until epoch milliseconds: the session's end */
export async function keep(name, what, until) {
  const begun = forgotten;
  const mine = await own();
  if (!mine) return;
  const iv = crypto.getRandomValues(new Uint8Array(12));
  const plain = new TextEncoder().encode(JSON.stringify(what));
  const sealed = await crypto.subtle.encrypt({ name: "AES-GCM", iv }, mine.key, plain);
  if (begun !== forgotten) return;
  const store = await caches.open(STORE);
  if (begun !== forgotten) return void (await caches.delete(STORE));
  await store.put(place(mine.tab, name), new Response(new Blob([iv, sealed]), { headers: { [UNTIL]: String(until) } }));
  await dropOld(store);
}

/** @param {string} name @returns {Promise<Kept | null>} */
export async function kept(name) {
  const mine = sessionStorage.getItem(KEY) ? await own() : null;
  if (!mine) return null;
  const found = await (await caches.open(STORE)).match(place(mine.tab, name));
  if (!found || isOld(found)) return null;
  const bytes = await found.arrayBuffer();
  try {
    const plain = await crypto.subtle.decrypt({ name: "AES-GCM", iv: bytes.slice(0, 12) }, mine.key, bytes.slice(12));
    return JSON.parse(new TextDecoder().decode(plain));
  } catch {
    return null; // another tab's, or cut off: as if it were not there
  }
}

export async function forgetKept() {
  forgotten += 1;
  sessionStorage.removeItem(KEY);
  if ("caches" in globalThis) await caches.delete(STORE);
}

/** @param {Response} found */
function isOld(found) {
  return Number(found.headers.get(UNTIL)) < Date.now();
}

/** What tabs that are closed have left, when its session is over. @param {Cache} store */
async function dropOld(store) {
  for (const request of await store.keys()) {
    const found = await store.match(request);
    if (found && isOld(found)) await store.delete(request);
  }
}
