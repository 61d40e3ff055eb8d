/** That the service is at work, and for how long already. */

import { html, useEffect, useState } from "../../html.js";
import { t } from "../../shell/text.js";

/** @param {{text: string}} props */
export function Waiting({ text }) {
  const [seconds, setSeconds] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => setSeconds((before) => before + 1), 1000);
    return () => clearInterval(timer);
  }, []);
  return html`
    <div class="waiting-for">
      <p role="status">${text}</p>
      <progress aria-label=${text} />
      <span aria-hidden="true">${t("imports.seconds", { n: seconds })}</span>
    </div>
  `;
}
