"use strict";
// Recognises letters that are drawn, J and Z, like aslkit/vision/motion and aslkit/vision/motion/reader.py. A test compares the
// results of both.

/** Times at which a movement is sampled, relative to the newest frame, in seconds. */
const OFFSETS_S = [-1.6, -1.4, -1.2, ...Array.from({ length: 21 }, (_, i) => (i - 20) / 20)];
/** How long frames are stored, in seconds. */
const TRACK_S = 2.0;
/** A sample is valid if a frame with a hand is at most this far away, in seconds. */
const MAX_GAP_S = 0.2;
/** A movement shorter than this is not judged, in seconds. */
const MIN_TRACK_S = 0.3;
/** Duration in which all frames must agree on the letter, in seconds; at least two frames. */
const AGREE_S = 0.12;
/** Speed of the wrist from which a hand is moving and shows no static letter, in palm sizes per second. */
const MOVING = 1.2;
/** Speed of the wrist and the fingertips up to which a hand is held, in palm sizes per second. */
const STEADY = 0.8;
/** Duration over which the speed is measured, in seconds. */
const SPEED_S = 0.15;
/** Mean distance of the joints up to which a hand still has the pose in which it ended a letter, in palm sizes. */
const SAME_POSE = 0.2;
/** The pose at the end of a letter may still change during this time after it was recognised, in seconds. */
const END_S = 0.3;
/** After a longer gap between two frames, earlier ones are ignored, in seconds. */
const MAX_FRAME_GAP_S = 1.0;
const MOTION_LETTERS = ["J", "Z"];
const RESTING = { moving: false, steady: true, ended: false, letter: null };
const TOLERANCE_S = 1e-6;

const [WRIST, INDEX_KNUCKLE, INDEX_TIP, MIDDLE_KNUCKLE, LITTLE_KNUCKLE, LITTLE_TIP] = [0, 5, 8, 9, 17, 20];
/** The first and the last joint of each finger. */
const FINGER_ENDS = [[1, 4], [5, 8], [9, 12], [13, 16], [17, 20]];

const newest = (list) => list[list.length - 1];

/** Return the vectors along and across a palm. */
const palmVectors = (points) => [
  points[MIDDLE_KNUCKLE].map((value, axis) => value - points[WRIST][axis]),
  points[INDEX_KNUCKLE].map((value, axis) => value - points[LITTLE_KNUCKLE][axis]),
];

const palmSize = (points) => palmVectors(points).reduce((sum, vector) => sum + Math.hypot(...vector), 0);

/** The hands of the last frames. Frames without a hand are interpolated. */
class HandTrack {
  /** @type {{time: number, points: number[][], left: boolean}[]} */
  frames = [];

  /**
   * Add a frame.
   * @param {number} time of the frame in seconds, later than that of the frames before
   * @param {{landmarks: number[][], width: number, height: number, handedness: string} | null} hand see canonicalPoints
   */
  add(time, hand) {
    while (this.frames.length && this.frames[0].time < time - TRACK_S) this.frames.shift();
    if (!hand) return;
    const points = hand.landmarks.map(([x, y, z]) => [x * hand.width, y * hand.height, z * hand.width]);
    this.frames.push({ time, points, left: hand.handedness === "left" });
  }

  /** Whether most of the hands are left hands. */
  get left() {
    return 2 * this.frames.filter((frame) => frame.left).length > this.frames.length;
  }

  /** Seconds between the first and the last stored hand. */
  get duration() {
    return this.frames.length ? newest(this.frames).time - this.frames[0].time : 0;
  }

  /** Return the newest hand relative to its wrist, 21 × (x, y), in palm sizes. */
  newestPose() {
    const { points } = newest(this.frames);
    const size = palmSize(points) + 1e-6;
    return points.map(([x, y]) => [(x - points[WRIST][0]) / size, (y - points[WRIST][1]) / size]);
  }

  /** Return the mean speed of a joint during the last SPEED_S, in palm sizes per second. */
  speed(joint) {
    const last = newest(this.frames);
    const row = this.frames.findIndex((frame) => last.time - frame.time <= SPEED_S + TOLERANCE_S);
    // A slow camera: compare with the frame before.
    const first = this.frames[row === this.frames.length - 1 ? Math.max(row - 1, 0) : row];
    if (last.time <= first.time) return 0;
    const moved = Math.hypot(...[0, 1].map((axis) => last.points[joint][axis] - first.points[joint][axis]));
    return moved / (palmSize(last.points) + 1e-6) / (last.time - first.time);
  }

  /** Return the hand at OFFSETS_S before a time, and whether each sample is valid; see sample_track in Python. */
  sample(now) {
    const { frames } = this;
    return OFFSETS_S.map((offset) => {
      const wanted = now + offset;
      const found = frames.findIndex((frame) => frame.time >= wanted);
      const next = Math.min(Math.max(found < 0 ? frames.length : found, 1), Math.max(frames.length - 1, 1));
      const [before, after] = [frames[next - 1], frames[Math.min(next, frames.length - 1)]];
      const share = Math.min(Math.max((wanted - before.time) / Math.max(after.time - before.time, 1e-6), 0), 1);
      return {
        points: before.points.map((point, joint) => point.map((v, axis) => v * (1 - share) + after.points[joint][axis] * share)),
        valid: Math.min(Math.abs(wanted - before.time), Math.abs(wanted - after.time)) <= MAX_GAP_S,
      };
    });
  }
}

/**
 * Compute the input of a motion network.
 * @param {{points: number[][], valid: boolean}[]} samples see HandTrack.sample
 * @param {boolean} left whether it is a left hand, which is mirrored
 * @returns {Float32Array} 432 values, 18 for each sample
 */
function motionFeatures(samples, left) {
  const hands = samples.map(({ points }) => (left ? points.map(([x, y, z]) => [-x, y, z]) : points));
  const palm = hands.reduce((sum, points) => sum + palmSize(points), 0) / hands.length + 1e-6;
  const origin = newest(hands)[WRIST];
  return Float32Array.from(hands.flatMap((points, i) => [
    ...[WRIST, INDEX_TIP, LITTLE_TIP].flatMap((joint) => [0, 1].map((axis) => (points[joint][axis] - origin[axis]) / palm)),
    ...FINGER_ENDS.map(([base, tip]) => Math.hypot(...points[tip].map((v, axis) => v - points[base][axis])) / palm),
    ...palmVectors(points).flat().map((value) => value / palm),
    Number(samples[i].valid),
  ]));
}

/** Recognises drawn letters frame by frame. */
class MotionReader {
  /**
   * @param {function(Float32Array): Float32Array} predict the motion network
   * @param {{classes: string[], threshold: number}} motionContract its contract
   */
  constructor(predict, motionContract) {
    this.predict = predict;
    this.contract = motionContract;
    this.track = new HandTrack();
    this.lastTime = null;
    this.reset();
  }

  /** Ignore all earlier frames. */
  reset() {
    this.track.frames = [];
    this.recent = [];
    this.endPose = null;
    this.endTime = -Infinity;
  }

  /**
   * Process a frame.
   * @param {number} time of the frame in seconds; if it runs backwards, earlier frames are ignored
   * @param {object | null} hand see HandTrack.add
   * @returns {{moving: boolean, steady: boolean, ended: boolean, letter: {letter: string, probability: number} | null}}
   *   whether the hand moves too fast to show a static letter, whether neither the hand nor its drawing fingers move,
   *   whether it still has the pose in which it ended a drawn letter, and the letter that the movement completes in this
   *   frame
   */
  observe(time, hand) {
    if (this.lastTime !== null && !(time >= this.lastTime && time - this.lastTime <= MAX_FRAME_GAP_S)) this.reset();
    this.lastTime = time;
    this.track.add(time, hand);
    if (!hand) return RESTING;
    const speeds = [WRIST, INDEX_TIP, LITTLE_TIP].map((joint) => this.track.speed(joint));
    const letter = this.judge(time);
    if (letter) {
      this.endTime = time;
      this.track.frames = [];
      this.recent = [];
      this.track.add(time, hand);
    }
    return { moving: speeds[0] > MOVING, steady: Math.max(...speeds) <= STEADY, ended: this.hasEnded(time), letter };
  }

  judge(time) {
    if (this.track.duration < MIN_TRACK_S) return null;
    const inputs = motionFeatures(this.track.sample(time), this.track.left);
    this.recent.push({ time, probabilities: this.predict(inputs) });
    // Frames from before the hand was lost.
    while (this.recent[0].time < time - AGREE_S - MAX_GAP_S) this.recent.shift();
    // The frame before AGREE_S is used as well, so that two frames agree at any frame rate.
    while (this.recent.length > 2 && this.recent[1].time <= time - AGREE_S) this.recent.shift();
    if (time - this.recent[0].time < AGREE_S - TOLERANCE_S) return null;
    const current = [...newest(this.recent).probabilities];
    const best = current.indexOf(Math.max(...current));
    const letter = this.contract.classes[best];
    const probability = this.recent.reduce((sum, { probabilities }) => sum + probabilities[best], 0) / this.recent.length;
    return MOTION_LETTERS.includes(letter) && probability >= this.contract.threshold ? { letter, probability } : null;
  }

  hasEnded(time) {
    const pose = this.track.newestPose();
    if (time - this.endTime <= END_S) {
      this.endPose = pose;
      return true;
    }
    if (!this.endPose) return false;
    const distances = pose.map(([x, y], joint) => Math.hypot(x - this.endPose[joint][0], y - this.endPose[joint][1]));
    if (distances.reduce((sum, distance) => sum + distance, 0) / distances.length <= SAME_POSE) return true;
    this.endPose = null;
    return false;
  }
}
