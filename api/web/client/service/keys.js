/**
 * Idempotency-Keys. A write that nobody answered may have been done: where the same is sent once more, such as by its
 * form's button, it goes under the key that it had.
 */

/** Of what was sent without an answer: as it was sent → its key, and when. @type {Map<string, {key: string, at: number}>} */
const unanswered = new Map();

/** @param {string} sent @returns {{key: string, at: number}} that of the first time, where it was sent before */
export function keyFor(sent) {
  const first = unanswered.get(sent) ?? { key: random(), at: Date.now() };
  unanswered.set(sent, first);
  return first;
}

/** Also where the page came over plain HTTP and `crypto.randomUUID` is not there. */
function random() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Of files: the same one is the same to send, and another one is not, whatever is in it. @type {WeakMap<Blob, number>} */
const numbers = new WeakMap();
let last = 0;
/** @param {Blob} file */
export function numberOf(file) {
  const number = numbers.get(file) ?? ++last;
  numbers.set(file, number);
  return number;
}

/** The service answered: to send the same again is another write. @param {string} sent */
export function answered(sent) {
  unanswered.delete(sent);
}

/** What was sent may be of patients, and is forgotten with whoever was signed in. */
export function forgetKeys() {
  unanswered.clear();
}
