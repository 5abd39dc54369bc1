"use strict";
// From a hand's landmarks to the network's inputs: aslkit/preprocess.py (canonical_points, landmark_features) once more.
// A test holds both to the same figures.

const PARENT = [0, 1, 2, 3, 0, 5, 6, 7, 0, 9, 10, 11, 0, 13, 14, 15, 0, 17, 18, 19];
const KNUCKLES = [5, 9, 13, 17];
const KEY_JOINTS = [0, 2, 3, 4, 5, 6, 8, 9, 10, 12, 13, 14, 16, 17, 18, 20];

const minus = (a, b) => [a[0] - b[0], a[1] - b[1], a[2] - b[2]];
const dot = (a, b) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
const length = (a) => Math.sqrt(dot(a, a));
const times = (a, factor) => [a[0] * factor, a[1] * factor, a[2] * factor];

/** Hands in one measure: the wrist at the origin, the palm one unit. */
function onePalmHigh(points) {
  const knuckles = KNUCKLES.map((joint) => points[joint]);
  const height = knuckles.reduce((sum, knuckle) => sum + length(minus(knuckle, points[0])), 0) / knuckles.length;
  const size = Math.max(height + length(minus(knuckles[0], knuckles[3])), 1e-6);
  return points.map((point) => times(point, 1 / size));
}

/**
 * Landmarks as shares of a picture, to a hand in one measure.
 * @param {{landmarks: number[][], width: number, height: number, handedness: string}} hand 21 × (x, y, z); not mirrored
 * @param {boolean} mirrorLeft left hands are mirrored, so that the network knows right hands only
 */
function canonicalPoints(hand, mirrorLeft) {
  const side = mirrorLeft && hand.handedness === "left" ? -1 : 1;
  const points = hand.landmarks.map(([x, y, z]) => [side * x * hand.width, y * hand.height, z * hand.width]);
  return onePalmHigh(points.map((point) => minus(point, points[0])));
}

/** 63 coordinates, 60 directions of bones, 19 cosines between bones, 120 distances between joints. */
function landmarkFeatures(points) {
  const scaled = onePalmHigh(points.map((point) => minus(point, points[0])));
  const bones = PARENT.map((parent, index) => minus(scaled[index + 1], scaled[parent]));
  const directions = bones.map((bone) => times(bone, 1 / (length(bone) + 1e-6)));
  const along = [];
  for (let i = 0; i < 19; i += 1) if (i % 4 !== 3) along.push(dot(directions[i], directions[i + 1]));
  const across = [3, 7, 11, 15].map((i) => dot(directions[i], directions[i + 4]));
  const distances = [];
  KEY_JOINTS.forEach((from, i) => {
    for (const to of KEY_JOINTS.slice(i + 1)) distances.push(length(minus(scaled[from], scaled[to])));
  });
  return Float32Array.from([...scaled.flat(), ...directions.flat(), ...along, ...across, ...distances]);
}
