// The panel in which one hums: a microphone, its level, and what is heard goes to the intake.

import { Hum } from "./hum.js";
import { toBase64 } from "./link.js";
import { byId, showError } from "./page.js";

const WARN_S = 10; // before the end

export class HumPanel {
  /** @param {{seconds: number, quiet: () => void, onHeard: (source: string, title: string) => void}} parts */
  constructor({ seconds, quiet, onHeard }) {
    this.seconds = seconds;
    this.quiet = quiet;
    this.onHeard = onHeard;
    this.error = /** @type {HTMLElement} */ (document.querySelector("#panel-hum .error"));
    this.hum = new Hum({
      seconds,
      onLevel: (level) => (byId("hum-level").value = level),
      onTime: (time) => this.showTime(time),
      onEnd: (wav) => this.end(wav),
      onFail: (message) => {
        this.show(false);
        showError(this.error, message);
      },
    });
    byId("hum").addEventListener("click", () => this.press());
  }

  get recording() {
    return this.hum.state !== "idle";
  }

  async press() {
    showError(this.error);
    if (this.hum.state === "recording") return this.hum.stop();
    this.quiet();
    byId("hum-status").textContent = "Allow the microphone…";
    if (await this.hum.start()) this.show(true);
    else byId("hum-status").textContent = "";
    return undefined;
  }

  /** @param {boolean} on */
  show(on) {
    byId("hum").textContent = on ? "■ Stop" : "● Record";
    byId("hum").classList.toggle("on", on);
    byId("hum-level").hidden = !on;
    if (!on) byId("hum-status").textContent = "";
  }

  /** @param {number} time */
  showTime(time) {
    const left = this.seconds - time;
    byId("hum-status").textContent = left < WARN_S ? `${Math.ceil(left)} s left` : `${Math.floor(time)} s`;
  }

  /** @param {Blob} wav */
  async end(wav) {
    this.show(false);
    const bytes = new Uint8Array(await wav.arrayBuffer());
    return this.onHeard(`data:audio/wav;base64,${toBase64(bytes)}`, "Hummed");
  }

  /** Nobody looks at it any more: the microphone is let go, and what was recorded is thrown away. */
  leave() {
    if (this.recording) this.hum.cancel();
    this.show(false);
  }
}
