// Gradio's queue over HTTP: a call is put into the queue, what comes of it arrives as server-sent events.

const API = "gradio_api";
const CODES = new Set(["not_readable", "too_large", "too_long", "no_melody", "bad_setting", "forgotten", "busy", "timeout", "server", "lost"]);
const SILENT_MS = 45_000; // the queue says something every 15 s

/** An error whose message is a sentence for the user, and whose code says of what kind it is. */
export class CallError extends Error {
  /** @param {string} message @param {string} code */
  constructor(message, code = "server") {
    super(message);
    this.code = code;
  }
}

/** @typedef {{rank: number, size: number, eta: number | null}} Place */

/**
 * Call a named endpoint. `onQueue(place)` tells the place in the queue (0 is next), `onStart()` that the work has begun,
 * `onEvent(value)` each value it gives. `done` resolves to the last value, to null when cancelled, and rejects with a CallError.
 * @param {string} name @param {unknown[]} data
 * @param {{onQueue?: (place: Place) => void, onStart?: () => void, onEvent?: (value: any) => void, index?: number}} [told]
 */
export function call(name, data, { onQueue = () => {}, onStart = () => {}, onEvent = () => {}, index = 0 } = {}) {
  const session = crypto.getRandomValues(new Uint32Array(3)).join("-");
  /** @type {EventSource | null} */
  let source = null;
  /** @type {string | null} */
  let event = null;
  let cancelled = false;
  let finish = (/** @type {any} */ _value) => {};

  async function run() {
    const response = await fetch(`${API}/call/${name}`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ data, session_hash: session }),
    }).catch(() => null);
    if (!response) throw new CallError("The server doesn't answer. Check the connection and try again.", "lost");
    if (!response.ok) throw await reason(response);
    event = (await response.json()).event_id;
    if (cancelled) {
      tellServer();
      return null;
    }
    return listen();
  }

  function listen() {
    return new Promise((resolve, reject) => {
      /** @type {any} */
      let last = null;
      /** @type {ReturnType<typeof setTimeout> | undefined} */
      let patience;
      const end = () => {
        clearTimeout(patience);
        source?.close();
      };
      const lost = () => {
        end();
        reject(new CallError("The connection to the server was lost. Try again.", "lost"));
      };
      finish = (value) => {
        end();
        resolve(value);
      };
      const heard = () => {
        clearTimeout(patience);
        patience = setTimeout(lost, SILENT_MS);
      };
      heard();
      source = new EventSource(`${API}/queue/data?session_hash=${session}`);
      source.onerror = lost;
      source.onmessage = ({ data: text }) => {
        if (cancelled) return;
        heard();
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
          end();
          reject(new CallError(output.error ?? message.message ?? "Something went wrong on the server. Try again.", known(output.title ?? message.title)));
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

/** @param {unknown} code */
function known(code) {
  return typeof code === "string" && CODES.has(code) ? code : "server";
}

/** What an answer that isn't good says. @param {Response} response */
export async function reason(response) {
  const body = await response.json().catch(() => ({}));
  const said = body.detail ?? body.error;
  if (response.status === 503 && typeof body.error !== "string") return new CallError("Too many people are waiting just now. Try again in a minute.", "busy");
  if (response.status === 413 && typeof said !== "string") return new CallError("That is too large for this page.", "too_large");
  return new CallError(typeof said === "string" ? said : `The server answered with error ${response.status}. Try again.`, known(body.code));
}
