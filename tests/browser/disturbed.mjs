// What an app on a phone has to live with: the first answer to a new ticket is lost on its way, and somebody else is
// quicker with its bed.
const asked = globalThis.fetch;
let isLost = false;
let isOvertaken = false;

globalThis.fetch = async (address, options = {}) => {
  if (options.method === "PATCH" && !isOvertaken) {
    isOvertaken = true;
    await asked(address, { ...options, body: JSON.stringify({ bed_number: "9A" }) });
  }
  let answer = await asked(address, options);
  while (answer.status === 503) {
    // A busy machine, which is not what this is about.
    await new Promise((resolve) => setTimeout(resolve, 1000 * Number(answer.headers.get("Retry-After"))));
    answer = await asked(address, options);
  }
  if (options.method === "POST" && address.endsWith("/v1/tickets") && !isLost) {
    isLost = true;
    await answer.text();
    throw new TypeError("fetch failed");
  }
  return answer;
};
