/** Which of the pages is shown, to whom, and in which frame. */

import { html, useEffect } from "../html.js";
import { Dialogs } from "../parts/dialog.js";
import { Empty, Failure, Loading } from "../parts/states.js";
import { Toasts } from "../parts/toasts.js";
import { SignInPage } from "../pages/sign-in.js";
import { WallPage } from "../pages/wall.js";
import { isDisplay, load, may, onForget, session, unanswered } from "../service/session.js";
import { Frame } from "./frame.js";
import { navigate, shown } from "./router.js";
import { t } from "./text.js";

// What somebody searched for is a name as a rule. Where the service ended the session it is gone on with.
onForget((ended) => ended || navigate(location.pathname, { replace: true }));

export function App() {
  return html`<${Current} /><${Dialogs} /><${Toasts} />`;
}

function Current() {
  const found = shown.value;
  const title = found ? t(found.route.title) : t("nowhere.title");
  useEffect(() => {
    document.title = `${session.value === null ? t("signIn.title") : title} · Ticket Home`;
  }, [title, session.value]);
  if (isDisplay.value) return html`<${WallPage} query=${new URLSearchParams(location.search)} />`;
  if (found?.route.open) return html`<${found.route.page} params=${found.params} query=${found.query} />`;
  if (session.value === undefined) return html`<main class="alone">${unanswered.value ? html`<${Failure} error=${unanswered.value} again=${load} />` : html`<${Loading} />`}</main>`;
  if (session.value === null) return html`<${SignInPage} />`;
  return html`<${Frame}><${Page} key=${found?.path} title=${title} /></${Frame}>`;
}

/** @param {{title: string}} props */
function Page({ title }) {
  const found = shown.value;
  useEffect(() => {
    // Who reads the page by ear, or goes on by keyboard, is at its beginning.
    const main = document.getElementById("main");
    if (main && document.activeElement === document.body) main.focus({ preventScroll: true });
  }, [title]);
  if (!found) return html`<${Empty} title=${t("nowhere.title")}><a href="/">${t("nowhere.back")}</a></${Empty}>`;
  if (found.route.role && !may(found.route.role)) {
    return html`<${Empty} title=${t("problem.forbidden")}><a href="/">${t("nowhere.back")}</a></${Empty}>`;
  }
  return html`<${found.route.page} params=${found.params} query=${found.query} />`;
}
