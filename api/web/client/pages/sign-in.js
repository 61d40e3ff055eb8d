/** Signing in, at whatever address somebody comes to: afterwards its page is shown. */

import { html, useEffect, useSignal } from "../html.js";
import { Form, TextField } from "../parts/form.js";
import { Icon } from "../parts/icon.js";
import { get } from "../service/api.js";
import { signIn, signInByOrganisation, wasEnded } from "../service/session.js";
import { language, LANGUAGES, t } from "../shell/text.js";

export function SignInPage() {
  const username = useSignal("");
  const password = useSignal("");
  const methods = useSignal({ password: true, sso: false });
  useEffect(() => {
    get("/v1/auth/methods").then(
      ({ body }) => (methods.value = body),
      () => {}, // by password, then: the service says so if it may not be
    );
  }, []);
  return html`
    <main id="main" class="sign-in" tabindex="-1">
      <section>
        <h1 class="brand"><${Icon} name="home" />Ticket Home</h1>
        <p class="lead">${t("signIn.lead")}</p>
        ${wasEnded.value ? html`<p class="notice" role="status">${t("signIn.ended")}</p>` : null}
        ${methods.value.password
          ? html`
              <${Form} action=${t("signIn.action")} submit=${() => signIn(username.value, password.value)}>
                <${TextField} name="username" label=${t("signIn.username")} value=${username} autocomplete="username" first />
                <${TextField}
                  name="password"
                  label=${t("signIn.password")}
                  value=${password}
                  type="password"
                  autocomplete="current-password"
                />
              </${Form}>
            `
          : null}
        ${methods.value.sso
          ? html`<${Form} action=${t("signIn.organisation")} submit=${signInByOrganisation} />`
          : null}
        <${Languages} />
      </section>
    </main>
  `;
}

export function Languages() {
  return html`
    <div class="choice" role="group" aria-label=${t("account.language")}>
      ${LANGUAGES.map(
        (one) => html`
          <button key=${one} type="button" lang=${one} aria-pressed=${one === language.value} onClick=${() => (language.value = one)}>
            ${t(`language.${one}`)}
          </button>
        `,
      )}
    </div>
  `;
}
