// Gradio's queue over HTTP: a call is put into the queue, what comes of it arrives as server-sent events.

const API = "gradio_api";

/** An error whose message is a sentence for the user. */
export class CallError extends Error {}

/**
 * Call a named endpoint. `onQueue({rank, size, eta})` tells the place in the queue (0 is next), `onStart()` that the
 * work has begun, `onEvent(value)` each value it gives. Returns {done, cancel}: `done` resolves to the last value, to
 * null when cancelled, and rejects with a CallError.
 */
export function call(name, data, { onQueue = () => {}, onStart = () => {}, onEvent = () => {}, index = 0 } = {}) {
  const session = crypto.getRandomValues(new Uint32Array(3)).join("-");
  let source = null;
  let event = null;
  let cancelled = false;
  let finish = () => {};

  async function run() {
    const response = await fetch(`${API}/call/${name}`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ data, session_hash: session }),
    }).catch(() => null);
    if (!response) throw new CallError("The server doesn't answer. Check the connection and try again.");
    if (!response.ok) throw new CallError(await reason(response));
    event = (await response.json()).event_id;
    if (cancelled) {
      tellServer();
      return null;
    }
    return listen();
  }

  function listen() {
    return new Promise((resolve, reject) => {
      let last = null;
      finish = (value) => {
        source.close();
        resolve(value);
      };
      source = new EventSource(`${API}/queue/data?session_hash=${session}`);
      source.onerror = () => {
        source.close();
        reject(new CallError("The connection to the server was lost. Try again."));
      };
      source.onmessage = ({ data: text }) => {
        if (cancelled) return;
        const message = JSON.parse(text);
        const output = message.output ?? {};
        if (message.msg === "estimation") {
          onQueue({ rank: message.rank, size: message.queue_size, eta: message.rank_eta });
        } else if (message.msg === "process_starts") {
          onStart();
        } else if (message.msg === "process_generating" && message.success) {
          last = output.data[0];
          onEvent(last);
        } else if (message.msg === "process_completed" && message.success) {
          finish(output.data?.[0] ?? last);
        } else if (message.msg === "process_completed" || message.msg === "unexpected_error" || message.success === false) {
          source.close();
          reject(new CallError(output.error ?? message.message ?? "Something went wrong on the server. Try again."));
        }
      };
    });
  }

  function tellServer() {
    const body = JSON.stringify({ session_hash: session, fn_index: index, event_id: event });
    fetch(`${API}/cancel`, { method: "POST", headers: { "Content-Type": "application/json" }, body }).catch(() => {});
  }

  function cancel() {
    if (cancelled) return;
    cancelled = true;
    if (event) tellServer();
    finish(null);
  }

  return { done: run(), cancel };
}

/** What an answer that isn't good says, as a sentence. */
async function reason(response) {
  const body = await response.json().catch(() => ({}));
  if (response.status === 503) return "Too many people are waiting just now. Try again in a minute.";
  const said = body.detail ?? body.error;
  return typeof said === "string" ? said : `The server answered with error ${response.status}. Try again.`;
}
