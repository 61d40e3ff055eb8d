/** A file of the service's, saved as the browser saves files; what is refused is told as of any other request. */

import { belongsToNow, open } from "./api.js";

/** Milliseconds until the browser has surely begun to save it. */
const KEPT_FOR = 60_000;

/** @param {import("./contract.d.ts").PathWith<"get">} path @param {Record<string, unknown>} query */
export async function download(path, query) {
  const whose = belongsToNow();
  const answer = await open(path, { query });
  const named = /filename="([^"]+)"/.exec(answer.headers.get("Content-Disposition") ?? "");
  const content = await answer.blob();
  if (whose()) save(content, named?.[1] ?? path.slice(path.lastIndexOf("/") + 1));
}

/** @param {Blob} content @param {string} name */
export function save(content, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), KEPT_FOR);
}
