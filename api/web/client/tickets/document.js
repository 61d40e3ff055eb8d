/** A patient's document while somebody types it: the rules are those of core/patients/document.py, which decides. */

/** @typedef {"empty" | "nobodys" | "unfinished" | "wrong" | "right"} Standing
 * `right`: a patient is found by it; `nobodys`: it identifies nobody (`RN`, `1-9`), and each admission is a new patient. */

const NOBODYS = new Set(["rn", "nn", "sn", "sr", "sinrut", "sindocumento", "reciennacido"]);
const SHORTEST = 5;

/** @param {string} type `rut`, `passport` or `other` @param {string} typed @returns {Standing} */
export function standingOf(type, typed) {
  const letters = lettersOf(typed);
  if (!letters) return "empty";
  const significant = type === "rut" ? letters.replace(/^0+/, "") : letters;
  const allAlike = new Set(significant).size <= 1 && !/^\p{L}+$/u.test(significant);
  if (NOBODYS.has(significant)) return "nobodys";
  if (type !== "rut") return allAlike ? "nobodys" : "right";
  if (!/^\d+[\dk]?$/.test(significant)) return "wrong";
  if (significant.length <= SHORTEST) return /[-–]/.test(typed) ? "nobodys" : "unfinished";
  if (allAlike) return "nobodys";
  if (verifierOf(significant.slice(0, -1)) === significant.at(-1)) return "right";
  return significant.length < 8 && !/[-–]\s*[\dkK]\s*$/.test(typed) ? "unfinished" : "wrong";
}

/** The verifier of a RUT's number, modulo 11. @param {string} number digits */
export function verifierOf(number) {
  let sum = 0;
  let factor = 2;
  for (const digit of [...number].reverse()) {
    sum += Number(digit) * factor;
    factor = factor === 7 ? 2 : factor + 1;
  }
  const rest = 11 - (sum % 11);
  return rest === 11 ? "0" : rest === 10 ? "k" : String(rest);
}

/** A RUT as it is read, "12.345.678-5"; whatever is none, as it is. @param {string} type @param {string} document */
export function readable(type, document) {
  const [number, verifier] = document.split("-");
  if (type !== "rut" || !number || !verifier || !/^\d+$/.test(number)) return document;
  return `${number.replace(/\B(?=(\d{3})+$)/g, ".")}-${verifier.toUpperCase()}`;
}

/** @param {string} typed */
function lettersOf(typed) {
  const folded = typed.normalize("NFKD").toLowerCase();
  return folded.replace(/[^\p{L}\p{Nd}]/gu, "");
}
