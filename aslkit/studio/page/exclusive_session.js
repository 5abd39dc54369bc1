// A part that one window at a time uses with its camera: it joins, retries, and can take over from another window.

import { RequestRefused, ServerUnreachable } from "./api_client.js";

const RETRY_MS = 1000;
const TEMPORARY = [404, 422, 429, 503]; // statuses of single requests, after which the session continues

export const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * Subclasses set `stage`, and implement `requestJoin(takeOver)`, which returns what to ask of the camera, `loop()`, which
 * sends frames until `stopped`, and `interrupt()`, which ends what is going on when the server or the window is lost.
 */
export class ExclusiveSession {
  joined = false; // whether this is the window that is used
  stopped = false;
  stage = null;
  #begun = false;
  #attempts = 0;
  #texts;

  /** @param texts `elsewhere`, `takeOver`, `unreachable` and `refused`: what the notice over the camera says. */
  constructor(texts) {
    this.#texts = texts;
  }

  interrupt() {}

  /** Become the window that is used, and start with the first success. Retries until the server responds. */
  async join(takeOver = false) {
    const attempt = ++this.#attempts; // a newer attempt, such as with another choice, ends this one
    this.joined = false;
    while (!this.stopped && attempt === this.#attempts) {
      try {
        const cameraRequest = await this.requestJoin(takeOver);
        this.joined = true;
        for (const kind of ["server", "elsewhere", "over"]) this.stage.problem(kind, null);
        if (this.#begun || this.stopped) return;
        this.#begun = true;
        this.stage.open(cameraRequest);
        this.loop();
        return;
      } catch (error) {
        if (!this.handleError(error)) return;
        await pause(RETRY_MS);
      }
    }
  }

  /** Show a failed request to the user. Returns whether retrying makes sense. */
  handleError(error) {
    if (!(error instanceof ServerUnreachable || error instanceof RequestRefused)) throw error;
    if (this.stopped) return false;
    if (this.joined && TEMPORARY.includes(error.status)) return true;
    this.interrupt();
    if (error instanceof ServerUnreachable || error.status >= 500) {
      const text = error instanceof ServerUnreachable ? this.#texts.unreachable : error.message;
      if (error.status === 507) this.stage.problem("disk", { title: "The disk is full", text });
      else this.stage.problem("server", { title: "The server does not respond", text });
      return true;
    }
    this.joined = false;
    if (error.status === 409 && error.why === "unknown") return true;
    if (error.status === 409 && error.why === "elsewhere") {
      this.stage.problem("elsewhere", {
        title: this.#texts.elsewhere,
        text: "Only one window can be used at a time.",
        button: this.#texts.takeOver,
        action: () => this.join(true),
      });
    } else {
      this.stage.problem("over", { title: this.#texts.refused, text: error.message });
    }
    return false;
  }

  /** After a failed request: join again if the server does not know this window any more, for example after a restart. */
  async recover(error) {
    if (!this.handleError(error)) return;
    const lost = error instanceof ServerUnreachable || (error.status === 409 && error.why === "unknown");
    if (lost) await this.join();
    else await pause(RETRY_MS / 2);
  }
}
