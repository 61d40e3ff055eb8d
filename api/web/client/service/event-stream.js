/** A stream of server-sent events, read by `fetch`: an EventSource does not say why it was refused. */

/** @typedef {{event: string, data: string, retry: number | null}} Message  A comment is a message without an event. */

/** @param {Response} answer @returns {AsyncGenerator<Message>} */
export async function* messages(answer) {
  if (!answer.body) return;
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let left = "";
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      const blocks = (left + value).split("\n\n");
      left = blocks.pop() ?? "";
      for (const block of blocks) yield parsed(block);
    }
  } finally {
    await reader.cancel().catch(() => {}); // it has ended already where the network did
  }
}

/** @param {string} block @returns {Message} */
function parsed(block) {
  /** @type {Message} */
  const message = { event: "", data: "", retry: null };
  for (const row of block.split("\n")) {
    const at = row.indexOf(":");
    const [name, value] = [row.slice(0, at), row.slice(at + 1).trimStart()];
    if (name === "event") message.event = value;
    else if (name === "data") message.data += value;
    else if (name === "retry") message.retry = Number(value);
  }
  return message;
}
