/** How things stand with the service: live, coming back, offline, or that it does not know itself what is current. */

import { computed, signal } from "../html.js";
import { reachable } from "./api.js";
import { line, silent } from "./events.js";

/** @typedef {import("./events.js").Line | "offline"} Standing */

const network = signal(navigator.onLine);
addEventListener("online", () => (network.value = true));
addEventListener("offline", () => (network.value = false));

/** @type {import("../html.js").ReadonlySignal<Standing>} */
export const standing = computed(() => {
  if (!network.value) return "offline";
  if (!reachable.value || (line.value === "live" && silent.value)) return "reconnecting";
  return line.value;
});
