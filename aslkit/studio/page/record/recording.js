// Decides when frames are stored: while the button is held or toggled, or during a burst, and never during the countdown.
// A clip of J or Z is what is recorded in one go, and ends by itself after its longest duration.

export class Recording {
  #mode = null; // null, "hold", "toggle" or "burst"
  #startMs = 0; // performance.now() at which the countdown ends
  #readyLetter = ""; // letter whose countdown is over
  #timer = 0;
  #shownSeconds = -1;
  #newPress = false; // whether the button was pressed for this letter, not held since the previous one
  #callbacks;

  /**
   * @param callbacks `onChange()` when recording starts or stops, `onCountdown(seconds)` with 0 when it ends, and
   *   `onTooShort()` when the button is released during the countdown.
   */
  constructor(callbacks) {
    this.#callbacks = callbacks;
    this.letter = "";
    this.burstNumber = 0; // frames with the same number are undone together
    this.countdownS = 0;
    this.burstS = 0;
    this.clipS = null; // longest duration of a clip; null if the letter is recorded as single frames
  }

  get on() {
    return this.#mode !== null;
  }

  /** Whether to store a frame taken at this time. */
  keeps(takenMs) {
    return this.#mode !== null && takenMs >= this.#startMs;
  }

  hold() {
    if (this.#mode !== null) return;
    this.#start("hold", this.#readyLetter !== this.letter);
    this.#newPress = true;
  }

  release() {
    if (this.#mode !== "hold") return;
    const tooShort = this.#newPress && !this.keeps(performance.now());
    this.stop();
    if (tooShort) this.#callbacks.onTooShort();
  }

  toggle() {
    if (this.#mode === null) this.#start("toggle", this.#readyLetter !== this.letter);
    else this.stop();
  }

  burst() {
    if (this.#mode === null) this.#start("burst", true);
    else this.stop();
  }

  stop() {
    if (this.#mode === null) return;
    this.#mode = null;
    this.#tick();
    this.#callbacks.onChange();
  }

  /**
   * Switch to another letter. A held or toggled recording restarts with a countdown; a burst and a clip end.
   *
   * @param clipS longest duration of a clip; null if the letter is recorded as single frames.
   */
  switchLetter(letter, clipS = null) {
    this.clipS = clipS;
    if (letter === this.letter) return;
    this.letter = letter;
    const mode = this.#mode;
    this.stop();
    if (this.clipS === null && (mode === "hold" || mode === "toggle")) this.#start(mode, true);
  }

  #start(mode, withCountdown) {
    this.#mode = mode;
    this.#newPress = false;
    this.burstNumber += 1;
    this.#startMs = performance.now() + (withCountdown ? this.countdownS * 1000 : 0);
    this.#shownSeconds = -1;
    this.#tick();
    this.#callbacks.onChange();
  }

  #tick() {
    clearTimeout(this.#timer);
    const leftMs = this.#mode === null ? 0 : this.#startMs - performance.now();
    const seconds = Math.max(0, Math.ceil(leftMs / 1000));
    if (seconds !== this.#shownSeconds) this.#callbacks.onCountdown(seconds);
    this.#shownSeconds = seconds;
    if (this.#mode === null) return;
    if (leftMs > 0) {
      this.#timer = setTimeout(() => this.#tick(), leftMs % 1000 || 1000);
      return;
    }
    this.#readyLetter = this.letter;
    this.#callbacks.onChange();
    const limitS = this.clipS ?? (this.#mode === "burst" ? this.burstS : null);
    if (limitS !== null) this.#timer = setTimeout(() => this.stop(), this.#startMs + limitS * 1000 - performance.now());
  }
}
