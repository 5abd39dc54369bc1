// The frames to review: decoded from the server's compact form, filtered, and with their decisions.

import { ApiClient } from "../api_client.js";

const client = new ApiClient();

/** Reasons in words, and the group under which they can be filtered. */
export const REASONS = {
  "label-doubt": "Label doubt",
  mistake: "Mistake of the newest model",
  "conflicting-label": "Same image under two letters",
  "unusual-form": "Unusual form",
  duplicate: "Duplicate",
  "near-duplicate": "Near-duplicate",
  blurred: "Blurred",
  "cut-off": "Cut off",
  "tiny-hand": "Tiny hand",
  dark: "Dark",
  bright: "Bright",
  "low-contrast": "Low contrast",
  "no-hand": "No hand found",
  "two-hands": "Two hands",
  "wrong-hand": "Other hand",
  "small-image": "Small image",
  unreadable: "Unreadable",
  misplaced: "Misplaced",
  reviewed: "Dropped in review",
  gap: "Between train and test",
  "few-frames": "Few frames of the letter",
  "one-sitting": "Only one session",
};

/** Reasons that concern all frames of a letter or the split, not a single frame. */
const GENERAL = new Set(["few-frames", "one-sitting", "gap", "reviewed"]);

export const reasonTitle = (reason) => REASONS[reason] ?? reason.replaceAll("-", " ");

const imagePath = (key) => `/api/review/image/${key.split("/").map(encodeURIComponent).join("/")}`;

export class Frames {
  all = []; // all frames, the doubtful ones first
  shown = []; // those that match the filter
  signers = [];
  #byKey = new Map();

  async load() {
    const { frames, signers, sessions, reasons, decisions } = await client.request("GET", "/api/review/frames");
    this.signers = [...signers].sort();
    this.all = frames.map(([signer, session, letter, name, why, details, suggested, original, rejected]) => {
      const key = `${signers[signer]}/${sessions[session]}/${letter}/${name}`;
      const named = why.map((index) => reasons[index]);
      return {
        key, signer: signers[signer], session: sessions[session], letter, reasons: named, details, suggested, original,
        rejected: Boolean(rejected), found: named.filter((reason) => !GENERAL.has(reason)), image: imagePath(key),
        decision: null,
      };
    });
    this.#byKey = new Map(this.all.map((frame) => [frame.key, frame]));
    this.#setDecisions(decisions);
  }

  #setDecisions(decisions) {
    for (const frame of this.all) frame.decision = null;
    for (const [key, [action, letter]] of Object.entries(decisions)) {
      const frame = this.#byKey.get(key);
      if (frame) frame.decision = { action, letter };
    }
  }

  get(key) {
    return this.#byKey.get(key);
  }

  /** Decide about frames. Resolves when the server has stored it, to the number of the decision, for `undo`. */
  async decide(frames, action, letter = null) {
    const body = { frames: frames.map((frame) => frame.key), action, letter };
    const { decisions, batch } = await client.request("POST", "/api/review/decisions", body);
    this.#setDecisions(decisions);
    return batch;
  }

  /** Start the curation of all recordings. Doubtful frames are known when it has ended. */
  check() {
    return client.request("POST", "/api/review/curation");
  }

  /**
   * Undo the last decision, also one of another window, or only the one with this number.
   * Returns the number of frames, and those that changed.
   */
  async undo(batch = null) {
    const before = new Map(this.all.map((frame) => [frame, JSON.stringify(frame.decision)]));
    const { changed, decisions } = await client.request("DELETE", `/api/review/decisions/last${batch ? `?batch=${batch}` : ""}`);
    this.#setDecisions(decisions);
    return { count: changed, frames: this.all.filter((frame) => JSON.stringify(frame.decision) !== before.get(frame)) };
  }

  /** Load decisions that another window has made. Resolves to whether there are any. */
  async reloadDecisions() {
    const before = JSON.stringify(this.all.map((frame) => frame.decision));
    this.#setDecisions((await client.request("GET", "/api/review/decisions")).decisions);
    return JSON.stringify(this.all.map((frame) => frame.decision)) !== before;
  }

  /** Show the frames that match: `what` is "doubtful", "all", "decided" or a reason; "" matches any person or letter. */
  filter({ what, signer, letter }) {
    const matches = {
      doubtful: (frame) => frame.found.length > 0 && !frame.decision,
      all: () => true,
      decided: (frame) => frame.decision !== null,
    };
    const match = matches[what] ?? ((frame) => frame.reasons.includes(what));
    this.shown = this.all.filter(
      (frame) => (!signer || frame.signer === signer) && (!letter || frame.letter === letter || frame.decision?.letter === letter) && match(frame),
    );
  }

  /** How many frames have each reason, the most frequent first. */
  countReasons() {
    const counts = new Map();
    for (const frame of this.all) for (const reason of frame.reasons) counts.set(reason, (counts.get(reason) ?? 0) + 1);
    return [...counts].sort((a, b) => b[1] - a[1]);
  }
}

export { imagePath };
