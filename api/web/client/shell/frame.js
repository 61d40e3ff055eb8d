/** What stands around every page: the navigation, how things stand with the service, and who is signed in. */

import { html } from "../html.js";
import { Icon } from "../parts/icon.js";
import { ROUTES } from "../routes.js";
import { chosenClinic, clinics, may, session } from "../service/session.js";
import { shown } from "./router.js";
import { ConnectionState, NewRelease } from "./standing.js";
import { t } from "./text.js";

/** @param {{children?: any}} props */
export function Frame({ children }) {
  return html`
    <a class="skip" href="#main">${t("frame.skip")}</a>
    <header class="frame">
      <a class="brand" href="/" aria-label=${t("frame.home")}><${Icon} name="home" /><span>Ticket Home</span></a>
      <${Navigation} />
      <div class="frame-end">
        <${ClinicChoice} />
        <${ConnectionState} />
        <a class="me" href="/account" aria-label=${t("frame.account", { name: session.value?.user.username ?? "" })}>
          <${Icon} name="person" /><span>${session.value?.user.username}</span>
        </a>
      </div>
    </header>
    <${NewRelease} />
    <main id="main" tabindex="-1">${children}</main>
  `;
}

function Navigation() {
  const routes = ROUTES.filter((route) => route.icon && (!route.role || may(route.role)));
  if (!routes.length) return null;
  const current = shown.value?.route.path;
  return html`
    <nav class="places" aria-label=${t("frame.places")}>
      ${routes.map(
        (route) => html`
          <a key=${route.path} href=${route.path} aria-current=${route.path === current ? "page" : undefined}>
            <${Icon} name=${route.icon} /><span>${t(route.title)}</span>
          </a>
        `,
      )}
    </nav>
  `;
}

/** Which clinic a superuser looks at. */
function ClinicChoice() {
  if (!may("superuser")) {
    const own = clinics.value.find((one) => one.id === session.value?.user.clinic_id);
    return own ? html`<span class="clinic">${own.name}</span>` : null;
  }
  return html`
    <select
      class="clinic"
      aria-label=${t("frame.clinic")}
      value=${chosenClinic.value ?? ""}
      onChange=${(/** @type {any} */ event) => (chosenClinic.value = Number(event.target.value) || null)}
    >
      <option value="">${t("frame.network")}</option>
      ${clinics.value.filter((one) => one.is_active).map((one) => html`<option key=${one.id} value=${one.id}>${one.name}</option>`)}
    </select>
  `;
}
