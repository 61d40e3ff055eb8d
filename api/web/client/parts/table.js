/** A table; on a phone each row is a card, whose cells name their columns. */

import { html } from "../html.js";

/**
 * @template Row
 * @typedef {object} Column
 * @property {string} label
 * @property {(row: Row) => any} cell
 * @property {boolean} [number]  Right, in figures of one width.
 * @property {"bare" | "left-out"} [onPhone]  Without its label there, for what it is tells itself; or not at all.
 */

/**
 * @template Row
 * @param {{caption: string, columns: Column<Row>[], rows: Row[], id: (row: Row) => string | number}} props
 */
export function Table({ caption, columns, rows, id }) {
  return html`
    <div class="table" tabindex="0" role="region" aria-label=${caption}>
      <table>
        <caption class="for-ears">${caption}</caption>
        <thead>
          <tr>${columns.map((one) => html`<th key=${one.label} scope="col" class=${one.number ? "number" : ""}>${one.label}</th>`)}</tr>
        </thead>
        <tbody>
          ${rows.map(
            (row) => html`
              <tr key=${id(row)}>
                ${columns.map(
                  (one) => html`
                    <td key=${one.label} data-label=${one.label} class=${one.number ? "number" : ""} data-on-phone=${one.onPhone}>${one.cell(row)}</td>
                  `,
                )}
              </tr>
            `,
          )}
        </tbody>
      </table>
    </div>
  `;
}
