// A clip that is being recorded: its frames are sent while they are taken, and judged when it is complete.

export class Clip {
  #server;
  #options;
  #waiting = []; // frames that have not been sent yet
  #sending = Promise.resolve();
  #error = null;

  /** @param options `{ clip, letter, revision }`: number of the clip on this page, and the state when it began. */
  constructor(server, options) {
    this.#server = server;
    this.#options = options;
  }

  /** Send a frame `{ jpeg, takenMs }`, after those before it. Slow networks delay frames, but lose none. */
  add(frame) {
    this.#waiting.push(frame);
    this.#sending = this.#sending.then(() => this.#sendNext());
  }

  async #sendNext() {
    const { jpeg, takenMs } = this.#waiting.shift();
    if (this.#error) return;
    try {
      await this.#server.sendClipFrame(jpeg, { ...this.#options, takenS: takenMs / 1000 });
    } catch (error) {
      this.#error = error;
    }
  }

  /** Wait for the last frame. Returns the decision and the state. */
  async finish() {
    await this.#sending;
    if (this.#error) throw this.#error;
    return this.#server.finishClip(this.#options.clip);
  }
}
