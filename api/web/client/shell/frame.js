/** What stands around every page: the navigation, how things stand with the service, and who is signed in. */

import { batch, html } from "../html.js";
import { Icon } from "../parts/icon.js";
import { Menu } from "../parts/menu.js";
import { ROUTES } from "../routes.js";
import { chosenClinic, clinics, may, session } from "../service/session.js";
import { setQuery, shown } from "./router.js";
import { ConnectionState, NewRelease, Unattended } from "./standing.js";
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
    <${Unattended} />
    <${NewRelease} />
    <main id="main" tabindex="-1">${children}</main>
  `;
}

function Navigation() {
  const routes = ROUTES.filter((route) => route.icon && (!route.role || may(route.role)));
  if (!routes.length) return null;
  const current = shown.value?.route.path;
  const behind = routes.filter((route) => route.behind);
  // A menu for one of them would be one press more for nothing.
  const folds = behind.length > 1;
  const link = (/** @type {import("../routes.js").Route} */ route) => html`
    <a key=${route.path} href=${route.path} data-behind=${folds ? route.behind : undefined} aria-current=${route.path === current ? "page" : undefined}>
      <${Icon} name=${route.icon} /><span>${t(route.title)}</span>
    </a>
  `;
  const always = behind.some((route) => route.behind === "always");
  const label = html`
    <span class="only-phone"><${Icon} name="more" />${t("frame.more")}</span>
    <span class="only-desk">${t("frame.administration")}<${Icon} name="unfold" /></span>
  `;
  const chosen = behind.find((route) => route.path === current)?.behind;
  return html`
    <nav class="places" aria-label=${t("frame.places")} data-administers=${always || undefined}>
      <div class="places-row">${routes.filter((route) => !folds || route.behind !== "always").map(link)}</div>
      ${folds ? html`<${Menu} label=${label} look="quiet" current=${chosen}>${behind.map(link)}</${Menu}>` : null}
    </nav>
  `;
}

/** Filters by what is one clinic's. */
const OF_A_CLINIC = ["surgery_id", "doctor_id", "specialty_id", "reason_id", "location"];

/** Which clinic a superuser looks at. */
function ClinicChoice() {
  if (!may("superuser")) {
    const own = clinics.value.find((one) => one.id === session.value?.user.clinic_id);
    return own ? html`<span class="clinic">${own.name}</span>` : null;
  }
  const choose = (/** @type {any} */ event) =>
    batch(() => {
      chosenClinic.value = Number(event.target.value) || null;
      setQuery(Object.fromEntries(OF_A_CLINIC.map((name) => [name, null])));
    });
  return html`
    <select
      class="clinic"
      aria-label=${t("frame.clinic")}
      value=${chosenClinic.value ?? ""}
      onChange=${choose}
    >
      <option value="">${t("frame.network")}</option>
      ${clinics.value.filter((one) => one.is_active).map((one) => html`<option key=${one.id} value=${one.id}>${one.name}</option>`)}
    </select>
  `;
}
