/** The client's beginning: find out who is signed in, and show the page of the address. */

import { html, render } from "./html.js";
import "./service/clinics.js";
import { begin } from "./service/session.js";
import { App } from "./shell/app.js";
import "./shell/shortcuts.js";
import "./shell/theme.js";

render(html`<${App} />`, /** @type {HTMLElement} */ (document.getElementById("app")));
begin();
// Where there is none (over plain HTTP, or in a private window), the client does not open without a network, and that is all.
navigator.serviceWorker?.register("/sw.js").catch((error) => console.info("No service worker.", error));
