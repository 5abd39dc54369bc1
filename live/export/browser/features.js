"use strict";
// Computes the network's inputs from hand landmarks, like canonical_points and landmark_features in
// aslkit/vision/preprocess.py. A test compares the results of both.

/** The joint that precedes joint i + 1 on the way to the wrist. */
const PARENT = [0, 1, 2, 3, 0, 5, 6, 7, 0, 9, 10, 11, 0, 13, 14, 15, 0, 17, 18, 19];
const KNUCKLES = [5, 9, 13, 17];
/** Joints between which distances are computed. */
const KEY_JOINTS = [0, 2, 3, 4, 5, 6, 8, 9, 10, 12, 13, 14, 16, 17, 18, 20];

const subtract = (a, b) => [a[0] - b[0], a[1] - b[1], a[2] - b[2]];
const dot = (a, b) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
const norm = (a) => Math.sqrt(dot(a, a));
const multiply = (a, factor) => [a[0] * factor, a[1] * factor, a[2] * factor];

/** Scale a hand whose wrist is at the origin, so that the size of the palm is 1. */
function scaleToPalm(points) {
  const knuckles = KNUCKLES.map((joint) => points[joint]);
  const height = knuckles.reduce((sum, knuckle) => sum + norm(subtract(knuckle, points[0])), 0) / knuckles.length;
  const size = Math.max(height + norm(subtract(knuckles[0], knuckles[3])), 1e-6);
  return points.map((point) => multiply(point, 1 / size));
}

/**
 * Convert landmarks to points that do not depend on the hand's position and size.
 * @param {{landmarks: number[][], width: number, height: number, handedness: string}} hand 21 × (x, y, z) relative to
 *   the size of the image, not mirrored; width and height of the image in pixels; "left" or "right"
 * @param {boolean} mirrorLeft mirror left hands, so that the network only sees right hands
 * @returns {number[][]} 21 × (x, y, z), with the wrist at the origin and a palm of size 1
 */
function canonicalPoints(hand, mirrorLeft) {
  const sign = mirrorLeft && hand.handedness === "left" ? -1 : 1;
  const points = hand.landmarks.map(([x, y, z]) => [sign * x * hand.width, y * hand.height, z * hand.width]);
  return scaleToPalm(points.map((point) => subtract(point, points[0])));
}

/**
 * Compute the features of a hand: 63 coordinates, 60 values of bone directions, 19 cosines between bones, and 120
 * distances between joints.
 * @param {number[][]} points 21 × (x, y, z), see canonicalPoints
 * @returns {Float32Array} 262 values
 */
function landmarkFeatures(points) {
  const scaled = scaleToPalm(points.map((point) => subtract(point, points[0])));
  const bones = PARENT.map((parent, index) => subtract(scaled[index + 1], scaled[parent]));
  const directions = bones.map((bone) => multiply(bone, 1 / (norm(bone) + 1e-6)));
  const alongFingers = [];
  for (let i = 0; i < 19; i += 1) if (i % 4 !== 3) alongFingers.push(dot(directions[i], directions[i + 1]));
  const betweenFingers = [3, 7, 11, 15].map((i) => dot(directions[i], directions[i + 4]));
  const distances = [];
  KEY_JOINTS.forEach((first, i) => {
    for (const second of KEY_JOINTS.slice(i + 1)) distances.push(norm(subtract(scaled[first], scaled[second])));
  });
  return Float32Array.from([...scaled.flat(), ...directions.flat(), ...alongFingers, ...betweenFingers, ...distances]);
}
