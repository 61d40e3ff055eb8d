/** A ward's wall: the board with initials only, for a screen that nobody touches and everybody reads from afar. */

import { html, useEffect, useMemo, useSignal } from "../html.js";
import { Form, TextField } from "../parts/form.js";
import { Icon } from "../parts/icon.js";
import { Loading } from "../parts/states.js";
import { isDisplay, session, signInDisplay } from "../service/session.js";
import { newer } from "../shell/standing.js";
import { t } from "../shell/text.js";
import { newWall } from "./wall/state.js";
import { Screen } from "./wall/screen.js";

/** @param {{query: URLSearchParams}} props  `view` and `location` choose what a wall shows. */
export function WallPage({ query }) {
  if (session.value === undefined) return html`<main class="alone"><${Loading} /></main>`;
  if (!isDisplay.value) return html`<${CodeEntry} />`;
  return html`<${Wall} location=${query.get("location")} />`;
}

/** @param {{location: string | null}} props */
function Wall({ location: place }) {
  const wall = useMemo(() => newWall(place), [place]);
  useEffect(() => wall.stop, [wall]);
  useEffect(() => {
    // Nobody stands there to load a new release, and nothing is typed that could be lost.
    if (newer.value) location.reload();
  }, [newer.value]);
  return html`<${Screen} wall=${wall} />`;
}

function CodeEntry() {
  const code = useSignal("");
  const user = session.value?.user.username;
  return html`
    <main id="main" class="sign-in" tabindex="-1">
      <section>
        <h1 class="brand"><${Icon} name="home" />${t("wall.title")}</h1>
        <p class="lead">${t("wall.lead")}</p>
        ${user ? html`<p class="notice">${t("wall.instead", { name: user })}</p>` : null}
        <${Form} action=${t("wall.enter")} submit=${() => signInDisplay(code.value)}>
          <${TextField} name="code" label=${t("wall.code")} hint=${t("wall.codeHint")} value=${code} maxlength="40" first />
        </${Form}>
        <a href="/">${t("nowhere.back")}</a>
      </section>
    </main>
  `;
}
