// When frames are recorded: while something holds the button, for the length of a burst, and not before the countdown.

export class Recording {
  #mode = null; // null, "hold", "toggle" or "burst"
  #from = 0; // performance.now() at which the countdown is over
  #ready = ""; // the letter whose countdown is over
  #timer = 0;
  #last = -1;
  #tell;

  /** @param tell `changed()` when it begins or ends, `count(seconds left or 0)` while it counts down. */
  constructor(tell) {
    this.#tell = tell;
    this.letter = "";
    this.number = 0; // what is recorded under one number is undone together
    this.countdownS = 0;
    this.burstS = 0;
  }

  get on() {
    return this.#mode !== null;
  }

  /** Whether a picture taken at that time is to be recorded. */
  keeps(takenMs) {
    return this.#mode !== null && takenMs >= this.#from;
  }

  hold() {
    if (this.#mode === null) this.#begin("hold", this.#ready !== this.letter);
  }

  release() {
    if (this.#mode === "hold") this.stop();
  }

  toggle() {
    if (this.#mode === null) this.#begin("toggle", this.#ready !== this.letter);
    else this.stop();
  }

  burst() {
    if (this.#mode === null) this.#begin("burst", true);
    else this.stop();
  }

  stop() {
    if (this.#mode === null) return;
    this.#mode = null;
    this.#tick();
    this.#tell.changed();
  }

  /** Go on with another letter: after a countdown, where the button is still held; a burst ends. */
  go(letter) {
    if (letter === this.letter) return;
    this.letter = letter;
    const mode = this.#mode;
    this.stop();
    if (mode === "hold" || mode === "toggle") this.#begin(mode, true);
  }

  #begin(mode, counts) {
    this.#mode = mode;
    this.number += 1;
    this.#from = performance.now() + (counts ? this.countdownS * 1000 : 0);
    this.#last = -1;
    this.#tick();
    this.#tell.changed();
  }

  #tick() {
    clearTimeout(this.#timer);
    const leftMs = this.#mode === null ? 0 : this.#from - performance.now();
    const left = Math.max(0, Math.ceil(leftMs / 1000));
    if (left !== this.#last) this.#tell.count(left);
    this.#last = left;
    if (this.#mode === null) return;
    if (leftMs > 0) {
      this.#timer = setTimeout(() => this.#tick(), leftMs % 1000 || 1000);
      return;
    }
    this.#ready = this.letter;
    this.#tell.changed();
    if (this.#mode === "burst") this.#timer = setTimeout(() => this.stop(), this.burstS * 1000);
  }
}
