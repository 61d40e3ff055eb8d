/** Which page is shown: addresses, links and the browser's own back and forward. */

import { computed, signal } from "../html.js";
import { ROUTES } from "../routes.js";

/** @typedef {import("../routes.js").Route} Route */

const address = signal(location.pathname + location.search);

/** The page of the address, and what its path names; null where there is none. */
export const shown = computed(() => {
  const { pathname, searchParams } = new URL(address.value, location.origin);
  for (const route of ROUTES) {
    const params = match(route.path, pathname);
    if (params) return { route, params, query: searchParams, path: pathname };
  }
  return null;
});

/** @param {string} pattern such as /tickets/:id @param {string} path @returns {Record<string, string> | null} */
function match(pattern, path) {
  const wanted = pattern.split("/");
  const given = path.split("/");
  if (wanted.length !== given.length) return null;
  /** @type {Record<string, string>} */
  const params = {};
  for (const [at, word] of wanted.entries()) {
    const value = decoded(given[at] ?? "");
    if (word.startsWith(":") && value) params[word.slice(1)] = value;
    else if (word !== value) return null;
  }
  return params;
}

/** @param {string} word as it stands in a path */
function decoded(word) {
  try {
    return decodeURIComponent(word);
  } catch {
    return word; // somebody's own spelling, which names nothing
  }
}

/** @param {string} to @param {{replace?: boolean}} [how] */
export function navigate(to, { replace = false } = {}) {
  if (to === address.value) return;
  history[replace ? "replaceState" : "pushState"](null, "", to);
  address.value = to;
}

/** Change the query of the address alone, without a step in the history. @param {Record<string, string | null>} changes */
export function setQuery(changes) {
  const url = new URL(address.value, location.origin);
  for (const [name, value] of Object.entries(changes)) {
    if (value) url.searchParams.set(name, value);
    else url.searchParams.delete(name);
  }
  navigate(url.pathname + url.search, { replace: true });
}

addEventListener("popstate", () => {
  address.value = location.pathname + location.search;
});

// Links are plain ones, so they open in new tabs and can be copied; a simple click stays in this page.
document.addEventListener("click", (event) => {
  const link = event.target instanceof Element ? event.target.closest("a") : null;
  if (!link || link.target || link.hasAttribute("download") || link.origin !== location.origin) return;
  if (event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  if (!ROUTES.some((route) => match(route.path, link.pathname))) return;
  event.preventDefault();
  navigate(link.pathname + link.search);
});
