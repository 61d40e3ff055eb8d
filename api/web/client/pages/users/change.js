/** What the service is asked of a user, and how one signs in here. */

import { signal, useEffect } from "../../html.js";
import { toastFailure } from "../../parts/toasts.js";
import { get, write } from "../../service/api.js";

/** @typedef {import("../../service/api.js").Schemas["UserChangeIn"]} Change */
/** @typedef {import("../../service/contract.d.ts").AnswerOf<"/v1/auth/methods", "get">} Methods */

/** How one signs in here; null until it is known. @type {import("../../html.js").Signal<Methods | null>} */
const methods = signal(null);

export function useMethods() {
  useEffect(() => {
    get("/v1/auth/methods").then(({ body }) => (methods.value = body), toastFailure);
  }, []);
  return methods;
}

/** @param {{id: number}} user @param {Change} body */
export function patch({ id }, body) {
  return write("patch", "/v1/users/{user_id}", { params: { user_id: id }, body });
}

