/**
 * The service worker: the client opens without a network, too. It keeps this release's own files and the page, and
 * nothing that the API answers. The service writes the release and its files into it, so each release has another one.
 */

/** @type {any} */
const worker = self;
const RELEASE = "{{digest}}";
const FILES = "{{files}}".split(" ");
const PAGE = "/";
const BOOT = "/app/boot.js";
const MINE = `ticket-home.release.${RELEASE}`;
/** Addresses of the service that are no pages of the client. */
const OTHERS = /^\/(v1|docs|redoc|openapi\.json|livez|readyz|metrics|app)(\/|$)/;

worker.addEventListener("install", (/** @type {any} */ event) => event.waitUntil(keep()));
worker.addEventListener("activate", (/** @type {any} */ event) => event.waitUntil(takeOver()));
worker.addEventListener("fetch", (/** @type {any} */ event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== location.origin) return;
  if (url.pathname.startsWith(`/app/${RELEASE}/`)) event.respondWith(keptFirst(request));
  else if (url.pathname === BOOT) event.respondWith(newestFirst(request, BOOT));
  else if (request.mode === "navigate" && !OTHERS.test(url.pathname)) event.respondWith(newestFirst(request, PAGE));
});

/** Fails where a file is not there, as while a deploy goes on: the browser tries again the next time. */
async function keep() {
  const cache = await caches.open(MINE);
  await cache.addAll([PAGE, BOOT, ...FILES.map((name) => `/app/${RELEASE}/${name}`)]);
  await worker.skipWaiting();
}

async function takeOver() {
  const names = await caches.keys();
  const old = names.filter((name) => name.startsWith("ticket-home.release.") && name !== MINE);
  await Promise.all(old.map((name) => caches.delete(name)));
  await worker.clients.claim();
}

/** @param {Request} request */
async function keptFirst(request) {
  const kept = await caches.match(request, { cacheName: MINE, ignoreVary: true });
  return kept ?? fetch(request);
}

/** @param {Request} request @param {string} name under which it is kept */
async function newestFirst(request, name) {
  try {
    return await fetch(request);
  } catch (error) {
    const kept = await caches.match(name, { cacheName: MINE, ignoreVary: true });
    if (!kept) throw error;
    return kept;
  }
}
