/** A catalog's row, written. What another row is in the way of stands at the field that is alike. */

import { Problem, write } from "../../service/api.js";
import { confirmed } from "../../parts/dialog.js";
import { toast, toastFailure } from "../../parts/toasts.js";
import { t } from "../../shell/text.js";
import { KINDS, titleOf } from "./kinds.js";

/** @typedef {import("./kinds.js").KindName} KindName */
/** @typedef {import("./kinds.js").Row} Row */
/** @typedef {import("../../service/live.js").Live<{items: Row[]}>} List */

/** Of whatever path of KINDS. @type {(method: "post" | "patch", path: string, sent: object) => Promise<import("../../service/api.js").Answer<Row>>} */
const anyWrite = /** @type {any} */ (write);

/** @param {KindName} name @param {Row | undefined} row undefined: a new one @param {Record<string, unknown>} body */
export async function written(name, row, body) {
  const { list, row: path = "", alike = "" } = KINDS[name];
  try {
    if (!row) return await anyWrite("post", list, { body });
    const [, id = ""] = /\{(\w+)\}/.exec(path) ?? [];
    return await anyWrite("patch", path, { params: { [id]: row.id }, body });
  } catch (error) {
    const at = error instanceof Problem ? { duplicate: alike, timezone_fixed: "timezone" }[error.code] : null;
    if (error instanceof Problem && at) error.errors.push({ path: at, code: error.code, message: error.message });
    throw error;
  }
}

/** Take a row out of use, or back into it. @param {KindName} name @param {Row} row @param {List} list */
export async function switched(name, row, list) {
  const called = titleOf(KINDS[name], row);
  const ends = name === "clinics" && row.is_active;
  if (ends && !(await confirmed({ title: t("catalogs.close", { name: called }), text: t("catalogs.closeText"), action: t("catalogSwitch.off"), danger: true }))) return;
  const { body, versions } = await written(name, row, { is_active: !row.is_active });
  list.refresh(versions);
  const back = () => void switched(name, body, list).catch(toastFailure);
  toast(t(body.is_active ? "catalogs.isOn" : "catalogs.isOff", { name: called }), ends ? undefined : back);
}
