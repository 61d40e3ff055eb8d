/** What may be done to a user, one press each: it is asked back where it takes something away, and can be taken back where that is possible. */

import { confirmed } from "../../parts/dialog.js";
import { handedOver } from "../../parts/handed-over.js";
import { toast, toastFailure } from "../../parts/toasts.js";
import { write } from "../../service/api.js";
import { session } from "../../service/session.js";
import { hour } from "../../service/times.js";
import { t } from "../../shell/text.js";
import { patch } from "./change.js";
import { newPassword } from "./dialogs.js";

/** @typedef {import("./users.js").User} User */
/** @typedef {{name: import("../../shell/text.js").Key, act: () => void, danger?: boolean}} Verb */
/** @typedef {import("./change.js").Methods} Methods */

/** None of one's own: the password is changed, and sessions are ended, in one's account. @param {User} user @param {Methods | null} here @param {() => void} changed @returns {Verb[]} */
export function verbsOf(user, here, changed) {
  if (user.id === session.value?.user.id) return [];
  const name = { name: user.username };
  const run = (/** @type {() => Promise<unknown>} */ act) => () => void act().then(changed, (error) => toastFailure(error, changed));
  /** @param {import("../../shell/text.js").Key} called @param {Parameters<typeof confirmed>[0]} question @param {() => Promise<unknown>} act @returns {Verb} */
  const asked = (called, question, act) => ({ name: called, danger: true, act: run(async () => (await confirmed(question)) && act()) });
  const switched = async (/** @type {boolean} */ active) => {
    await patch(user, { is_active: active });
    toast(t(active ? "users.activated" : "users.deactivated", name), run(() => patch(user, { is_active: !active })));
  };
  const removePassword = asked(
    "users.removePassword",
    { title: t("users.removePasswordOf", name), text: t("users.removePasswordText"), action: t("users.remove"), danger: true },
    async () => {
      await patch(user, { password: null });
      toast(t("users.passwordRemoved", name));
    },
  );
  const endSessions = asked(
    "users.endSessions",
    { title: t("users.endSessionsOf", name), text: t("users.endSessionsText"), action: t("account.end"), danger: true },
    async () => {
      await write("delete", "/v1/users/{user_id}/sessions", { params: { user_id: user.id } });
      toast(t("users.sessionsEnded", name));
    },
  );
  const deactivate = asked(
    "users.deactivate",
    { title: t("users.deactivateOf", name), text: t("users.deactivateText"), action: t("users.remove"), danger: true },
    () => switched(false),
  );
  return [
    { name: user.sso_only ? "users.setPassword" : "users.newPassword", act: () => newPassword(user, changed) },
    ...(here?.sso && !user.sso_only ? [removePassword] : []),
    ...(user.role === "viewer" && user.is_active ? [{ name: /** @type {const} */ ("users.displayCode"), act: run(() => displayCode(user)) }] : []),
    ...(user.is_active ? [endSessions, deactivate] : [{ name: /** @type {const} */ ("users.activate"), act: run(() => switched(true)) }]),
  ];
}

/** @param {User} user */
async function displayCode(user) {
  const { body } = await write("post", "/v1/users/{user_id}/display-sessions", { params: { user_id: user.id } });
  const text = t("users.displayCodeText", { address: `${location.origin}/wall`, hour: hour(body.expires_at) });
  // Not waited for: the list need not be read anew.
  handedOver({ title: t("users.displayCodeOf", { name: user.username }), text, facts: [[t("wall.code"), body.code]] });
}
