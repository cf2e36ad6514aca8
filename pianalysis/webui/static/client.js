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

/** @typedef {{onQueue?: (place: Place) => void, onStart?: () => void, onEvent?: (value: any) => void, index?: number}} Told */

/**
 * Call a named endpoint. `onQueue(place)` tells the place in the queue (0 is next), `onStart()` that the work has begun,
 * `onEvent(value)` each value it gives. `done` resolves to the last value, to null when cancelled, and rejects with a CallError.
 * @param {string} name @param {unknown[]} data @param {Told} [told]
 */
export function call(name, data, told = {}) {
  const one = new Call(told);
  return { done: one.run(name, data), cancel: () => one.cancel() };
}

class Call {
  /** @param {Told} told */
  constructor(told) {
    this.told = told;
    this.session = crypto.getRandomValues(new Uint32Array(3)).join("-");
    /** @type {EventSource | null} */
    this.source = null;
    /** @type {string | null} */
    this.event = null;
    this.cancelled = false;
    /** @type {any} */
    this.last = null;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.patience = undefined;
    this.resolve = (/** @type {any} */ value) => value;
    this.reject = (/** @type {CallError} */ error) => error;
  }

  /** @param {string} name @param {unknown[]} data @returns {Promise<any>} */
  async run(name, data) {
    const response = await fetch(`${API}/call/${name}`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ data, session_hash: this.session }),
    }).catch(() => null);
    if (!response) throw new CallError("The server doesn't answer. Check the connection and try again.", "lost");
    if (!response.ok) throw await reason(response);
    this.event = (await response.json()).event_id;
    if (this.cancelled) {
      this.tellServer();
      return null;
    }
    return this.listen();
  }

  listen() {
    return new Promise((resolve, reject) => {
      Object.assign(this, { resolve, reject });
      this.wait();
      this.source = new EventSource(`${API}/queue/data?session_hash=${this.session}`);
      this.source.onerror = () => this.lost();
      this.source.onmessage = ({ data }) => this.hear(JSON.parse(data));
    });
  }

  /** A connection on which nothing comes for long is lost. */
  wait() {
    clearTimeout(this.patience);
    this.patience = setTimeout(() => this.lost(), SILENT_MS);
  }

  end() {
    clearTimeout(this.patience);
    this.source?.close();
  }

  lost() {
    this.end();
    this.reject(new CallError("The connection to the server was lost. Try again.", "lost"));
  }

  /** @param {any} value */
  finish(value) {
    this.end();
    this.resolve(value);
  }

  /** @param {any} message */
  hear(message) {
    if (this.cancelled) return;
    this.wait();
    const { onQueue, onStart, onEvent } = this.told;
    const output = message.output ?? {};
    if (message.msg === "estimation") onQueue?.({ rank: message.rank, size: message.queue_size, eta: message.rank_eta });
    else if (message.msg === "process_starts") onStart?.();
    else if (message.msg === "process_generating" && message.success) {
      [this.last] = output.data;
      onEvent?.(this.last);
    } else if (message.msg === "process_completed" && message.success) this.finish(output.data?.[0] ?? this.last);
    else if (message.msg === "process_completed" || message.msg === "unexpected_error" || message.success === false) {
      this.end();
      this.reject(new CallError(output.error ?? message.message ?? "Something went wrong on the server. Try again.", known(output.title ?? message.title)));
    }
  }

  tellServer() {
    const body = JSON.stringify({ session_hash: this.session, fn_index: this.told.index ?? 0, event_id: this.event });
    fetch(`${API}/cancel`, { method: "POST", headers: { "Content-Type": "application/json" }, body }).catch(() => {});
  }

  cancel() {
    if (this.cancelled) return;
    this.cancelled = true;
    if (this.event) this.tellServer();
    this.finish(null);
  }
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
