/** A file of this computer, read as it is chosen: what is reviewed is what is imported, whatever becomes of it there. */

import { html, useId } from "../../html.js";
import { t } from "../../shell/text.js";

/** @typedef {{name: string, content: Promise<Blob | null>}} Chosen  null: it cannot be read. */

/** What the contract takes, bytes. */
const MOST = 1024 * 1024;
const TAKEN = ".xlsx,.csv,.tsv,.txt";

/** @param {{refused: import("../../html.js").Signal<string>, name: string, choose: (file: Chosen | null) => void}} props
 *   `refused`: why a file is none, in words; `name`: of the one that is chosen. */
export function FileField({ refused, name, choose }) {
  const id = useId();
  const chosen = (/** @type {any} */ event) => {
    const file = /** @type {File | undefined} */ (event.target.files[0]);
    event.target.value = ""; // the same one, put right, may be chosen again
    refused.value = "";
    choose(null);
    if (!file) return;
    if (!file.size) refused.value = t("importSaid.empty", { name: file.name });
    else if (file.size > MOST) refused.value = t("imports.tooLarge", { name: file.name, size: (file.size / MOST).toFixed(1) });
    else choose({ name: file.name, content: file.arrayBuffer().then((bytes) => new Blob([bytes]), () => null) });
  };
  return html`
    <div class="field" data-refused=${refused.value ? "" : undefined}>
      <span class="label">${t("imports.file")}</span>
      <label class="file">
        <input name="file" type="file" class="for-ears" accept=${TAKEN} aria-describedby=${id} aria-invalid=${refused.value ? true : undefined} onChange=${chosen} />
        <span class="button">${t("imports.choose")}</span>
        <span>${name}</span>
      </label>
      <small id=${id} role="status">${refused.value || t("imports.fileHint")}</small>
    </div>
  `;
}
