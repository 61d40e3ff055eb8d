/**
 * Starts the release that the page names. It stands outside of the releases' folders, for it must be there where a
 * module is not: while a deploy goes on, the page may come from one release and the next answer from another. Then the
 * page is loaded again, a little later each time.
 */

const release = document.documentElement.dataset.release;
const TRIES = "ticket-home.tries";

import(`/app/${release}/main.js`).then(
  () => sessionStorage.removeItem(TRIES),
  (error) => {
    const tries = Number(sessionStorage.getItem(TRIES) ?? 0);
    sessionStorage.setItem(TRIES, String(tries + 1));
    console.warn("The client did not load; the page is loaded again.", error);
    setTimeout(() => location.reload(), 500 * 2 ** Math.min(tries, 5));
  },
);
