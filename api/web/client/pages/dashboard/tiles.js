/** The figures as tiles: each says what it means, and leads to the tickets that it is of. */

import { html } from "../../html.js";
import { Meaning } from "../../parts/meaning.js";
import { t } from "../../shell/text.js";
import { GROUPS, listOf } from "./figures.js";

/** @typedef {import("./figures.js").Figure} Figure */
/** @typedef {{body: import("./figures.js").Dashboard, filters: import("./figures.js").Filters}} Given */

/** @param {Given & {group: import("./figures.js").Group}} props */
export function Tiles({ group, body, filters }) {
  return html`
    <section class="figures" aria-labelledby=${`figures-${group}`}>
      <h2 id=${`figures-${group}`}>${t(`figureGroup.${group}`)}</h2>
      <ul class="tiles" data-group=${group}>
        ${GROUPS[group].map((one) => html`<${Tile} key=${one.name} figure=${one} body=${body} filters=${filters} />`)}
      </ul>
    </section>
  `;
}

/** @param {Given & {figure: Figure}} props */
function Tile({ figure, body, filters }) {
  const value = figure.value(body);
  const name = t(`figure.${figure.name}`);
  return html`
    <li class="tile" data-figure=${figure.name} data-tone=${value ? figure.tone : undefined}>
      <${Meaning} of=${name} text=${t(`figureMeaning.${figure.name}`)}>
        ${(/** @type {string} */ described) => html`
          <a href=${listOf(filters, { figure: figure.name, sort: figure.sort })} aria-describedby=${described}>
            <span>${name}</span><strong>${figure.shown(value)}</strong>
          </a>
          ${figure.counted
            ? html`
                <a class="counted" data-figure=${figure.counted} href=${listOf(filters, { figure: figure.counted })}>
                  ${t(`figure.${figure.counted}`)}
                </a>
              `
            : null}
        `}
      </${Meaning}>
    </li>
  `;
}
