/** What an import did, or would do: rows by catalog; or what is wrong in the file, place by place. */

import { html, useState } from "../../html.js";
import { Icon } from "../../parts/icon.js";
import { Table } from "../../parts/table.js";
import { Turns } from "../../parts/turns.js";
import { save } from "../../service/download.js";
import { count } from "../../service/numbers.js";
import { t, told } from "../../shell/text.js";

/** @typedef {import("../../service/api.js").Schemas["CatalogImport"]} CatalogImport */
/** @typedef {import("../../service/api.js").Schemas["ImportProblem"]} ImportProblem */
/** @typedef {import("../../service/api.js").Schemas["ImportedKind"]} ImportedKind */

/** Problems of a page. */
const LIMIT = 50;

/** How many rows it makes or changes. @param {CatalogImport | null} report */
export function changesOf(report) {
  return report?.kinds.reduce((sum, one) => sum + one.created + one.updated, 0) ?? 0;
}

/** @param {{report: CatalogImport, name: string}} props */
export function Report({ report, name }) {
  const { problems_total, imported, hidden, ignored, encoding } = report;
  const changes = changesOf(report);
  const sum = { n: problems_total || changes, number: count(problems_total || changes) };
  const title = problems_total ? t("imports.wrong", sum) : imported ? t("imports.done", sum) : changes ? t("imports.would", sum) : t("imports.nothing");
  return html`
    <section class="report">
      <div role="status">
        <h2 data-outcome=${problems_total ? "wrong" : "right"}><${Icon} name=${problems_total ? "warning" : "check"} />${title}</h2>
      </div>
      ${problems_total ? html`<${Problems} report=${report} name=${name} />` : html`<${Kinds} kinds=${report.kinds} />`}
      ${hidden.length ? html`<p class="notice">${t("imports.hidden", { what: hidden.join("; ") })}</p>` : null}
      ${ignored.length ? html`<p>${t("imports.ignored", { what: ignored.join("; ") })}</p>` : null}
      ${encoding ? html`<p class="hint">${t("imports.encoding", { encoding })}</p>` : null}
    </section>
  `;
}

/** @param {{kinds: ImportedKind[]}} props */
function Kinds({ kinds }) {
  const numbers = /** @type {const} */ (["created", "updated", "unchanged"]);
  const columns = [
    { label: t("imports.catalog"), cell: (/** @type {ImportedKind} */ one) => html`<a href=${`/catalogs?kind=${one.kind}`}>${told("catalogKind", one.kind)}</a>` },
    ...numbers.map((name) => ({ label: t(`importCount.${name}`), cell: (/** @type {ImportedKind} */ one) => count(one[name]), number: true })),
  ];
  return html`<${Table} caption=${t("imports.catalog")} columns=${columns} rows=${kinds} id=${(/** @type {ImportedKind} */ one) => one.kind} />`;
}

/** @type {{name: "sheet" | "row" | "column" | "message", number?: boolean}[]} */
const COLUMNS = [{ name: "sheet" }, { name: "row", number: true }, { name: "column" }, { name: "message" }];

/** @param {"sheet" | "row" | "column" | "message"} name @returns {(row: ImportProblem) => any} */
function cellOf(name) {
  return (row) => {
    if (name === "message") return said(row.code, row.values, row.message);
    return name === "column" ? told("catalogField", row.column ?? "") : row[name];
  };
}

/** What the service says of a file, in our words where we have some of the code.
 * @param {string} code @param {Record<string, string | number>} values @param {string} message */
export function said(code, values, message) {
  const text = told("importSaid", code, values);
  return text === code ? message : text;
}

/** @param {{report: CatalogImport, name: string}} props */
function Problems({ report: { problems, problems_total }, name }) {
  const [page, setPage] = useState(0);
  const begin = page * LIMIT;
  const columns = COLUMNS.map((one) => ({ ...one, label: t(`importProblem.${one.name}`), cell: cellOf(one.name) }));
  return html`
    <div class="actions">
      <p>${t("imports.wrongText")}</p>
      <button type="button" onClick=${() => save(csvOf(problems), `${name}.csv`)}><${Icon} name="save" />${t("imports.save")}</button>
    </div>
    ${problems_total > problems.length ? html`<p>${t("imports.first", { n: problems.length, number: count(problems.length) })}</p>` : null}
    <${Table}
      caption=${t("imports.wrongText")}
      columns=${columns}
      rows=${problems.slice(begin, begin + LIMIT)}
      id=${(/** @type {ImportProblem} */ one) => problems.indexOf(one)}
    />
    <${Turns} page=${page + 1} back=${page ? () => setPage(page - 1) : null} forward=${begin + LIMIT < problems.length ? () => setPage(page + 1) : null} />
  `;
}

/** For a spreadsheet, beside the file that is to be put right: no cell may be a formula. @param {ImportProblem[]} problems */
function csvOf(problems) {
  const cell = (/** @type {unknown} */ value) => `"${String(value ?? "").replace(/^[=+\-@\t\r]/, "'$&").replaceAll('"', '""')}"`;
  const lines = [COLUMNS.map((one) => t(`importProblem.${one.name}`)), ...problems.map((row) => COLUMNS.map((one) => cellOf(one.name)(row)))];
  return new Blob(["\ufeff", lines.map((line) => line.map(cell).join(";")).join("\r\n")], { type: "text/csv" });
}
