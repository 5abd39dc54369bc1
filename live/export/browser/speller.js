"use strict";
// Turns the letters of single frames into text, like aslkit/live/speller.py without words. A test compares the results of
// both.
/* global newest */

/** Static letters with the hand shape that draws a letter. */
const SHAPES = { J: "IY", Z: "DGLX" };
/** Share of frames that may show another letter, because predictions flicker. */
const MAX_OTHER_SHARE = 0.2;
/** A static letter that was held at most this long was the beginning of the drawing, in seconds. */
const HELD_BEFORE_S = 1.0;
/** Maximum duration of a movement from the last frame in which the hand was held to its recognition, in seconds. */
const DRAWING_S = 2.0;
/** A static letter accepted this shortly before a drawn one was read while the hand was drawing, in seconds. */
const READ_WHILE_DRAWING_S = 0.45;
const MAX_TEXT_LENGTH = 2000;
/** Only so many static letters can belong to a drawing. */
const MAX_ACCEPTED = 3;
/** Sums of frame intervals are not exact. */
const SPELLER_TOLERANCE_S = 1e-6;

/** Accepts letters that are held or drawn, and keeps the text. */
class Speller {
  /**
   * @param {{hold_s: number, agree: number, least_frames: number, release_s: number, space_s: number, gap_s: number}} settings
   *   see aslkit/live/config.py
   */
  constructor(settings) {
    this.settings = settings;
    this.text = "";
    this.hand = false;
    this.lastTime = null;
    this.handLost = null;
    this.accepted = [];
    this.reset();
  }

  /** Ignore all earlier frames. The text is kept. */
  reset() {
    this.frames = [];
    this.held = null;
  }

  /**
   * Process a frame.
   * @param {{time: number, hand: boolean, letter: string | null, motion: object}} frame its time in seconds, whether it has a
   *   hand, its static letter if it is sure, and the result of MotionReader.observe
   */
  observe(frame) {
    const { time, motion } = frame;
    if (this.lastTime !== null && !(time >= this.lastTime && time - this.lastTime <= this.settings.gap_s)) {
      this.reset();
      // The time of the gap does not count: nobody knows what the hand did meanwhile.
      this.handLost = this.hand ? null : time;
    }
    this.lastTime = time;
    this.frames.push({ ...frame, shown: motion.moving || motion.ended ? null : frame.letter });
    this.trackHand(frame);
    if (this.isReleased(time)) this.held = null;
    const last = newest(this.accepted);
    if (last) {
      last.moved = last.moved || !motion.steady;
      if (!last.moved && frame.letter === last.letter) last.lastSeen = time;
    }
    if (motion.letter) {
      this.acceptDrawn(motion.letter.letter, time);
      return;
    }
    const letter = this.agreedLetter(time);
    if (letter !== null && letter !== this.held) this.accept(letter, time);
  }

  accept(letter, time) {
    this.held = letter;
    this.append(letter);
    this.accepted = [...this.accepted, { letter, time, lastSeen: time, moved: false }].slice(-MAX_ACCEPTED);
  }

  /** Append a drawn letter instead of the static letters that were read of its hand shape. */
  acceptDrawn(drawn, time) {
    while (this.accepted.length && this.belongsTo(newest(this.accepted), drawn, time)) {
      this.accepted.pop();
      this.text = this.text.slice(0, -1);
    }
    this.append(drawn);
    this.accepted = [];
    this.reset();
  }

  belongsTo({ letter, time: acceptedTime, lastSeen }, drawn, time) {
    if (!this.text.endsWith(letter)) return false; // deleted, or followed by a space
    if (time - acceptedTime <= READ_WHILE_DRAWING_S) return true;
    return SHAPES[drawn].includes(letter) && lastSeen - acceptedTime <= HELD_BEFORE_S && time - lastSeen <= DRAWING_S;
  }

  append(character) {
    this.text = (this.text + character).slice(-MAX_TEXT_LENGTH);
  }

  /** Append a space if the text ends with a letter. */
  space() {
    if (!this.text || this.text.endsWith(" ")) return;
    this.append(" ");
    this.accepted = [];
  }

  /** Delete the last character. */
  delete() {
    this.text = this.text.slice(0, -1);
    this.accepted = [];
  }

  /** Delete the text. */
  clear() {
    this.text = "";
    this.accepted = [];
  }

  trackHand({ time, hand }) {
    if (hand) {
      this.handLost = null;
      this.hand = true;
      return;
    }
    this.handLost ??= time;
    const away = time - this.handLost + SPELLER_TOLERANCE_S;
    // The landmarker misses a hand in single frames.
    if (away >= this.settings.release_s) this.hand = false;
    if (this.settings.space_s && !this.hand && away >= this.settings.space_s) this.space();
  }

  recentFrames(now, duration) {
    return this.frames.filter((frame) => now - frame.time <= duration + SPELLER_TOLERANCE_S);
  }

  isReleased(now) {
    if (this.held === null) return false;
    const frames = this.recentFrames(now, this.settings.release_s);
    // Also while the hand moves: a letter that is carried is still held.
    const held = frames.filter((frame) => frame.letter === this.held).length;
    return covers(frames, now, this.settings.release_s) && held <= MAX_OTHER_SHARE * frames.length;
  }

  /** Return the letter that enough recent frames show, or null. */
  agreedLetter(now) {
    const { hold_s, release_s, least_frames, agree } = this.settings;
    const maxAge = Math.max(hold_s, release_s) + 2 * SPELLER_TOLERANCE_S;
    while (now - this.frames[0].time > maxAge && this.frames.length > least_frames) this.frames.shift();
    let frames = this.recentFrames(now, hold_s);
    if (frames.length < least_frames) frames = this.frames.slice(-least_frames); // a slow camera
    const letter = newest(this.frames).shown;
    if (letter === null) return null;
    const agreeing = frames.filter((frame) => frame.shown === letter).length;
    const others = frames.filter((frame) => frame.shown !== null && frame.shown !== letter).length;
    const required = Math.max(Math.ceil(agree * frames.length - SPELLER_TOLERANCE_S), least_frames);
    const accepted = agreeing >= required && others <= MAX_OTHER_SHARE * frames.length && covers(frames, now, hold_s);
    return accepted ? letter : null;
  }
}

/** Return whether frames cover a duration, up to one frame interval: n frames have n - 1 intervals between them. */
function covers(frames, now, duration) {
  if (frames.length < 2) return false;
  const span = now - frames[0].time;
  return span + span / (frames.length - 1) >= duration - SPELLER_TOLERANCE_S;
}
