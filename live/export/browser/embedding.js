"use strict";
// Computes the embedding of a hand, like aslkit/vision/hand_region.py and aslkit/vision/hand_embedding.py. A test compares
// the results of both.

/** Width and height of the model's input, in pixels. */
const EMBEDDED_SIDE = 224;
/** Joints around which MediaPipe cuts out a hand. */
const REGION_JOINTS = [0, 1, 2, 3, 5, 6, 9, 10, 13, 14, 17, 18];

/**
 * Return the region around a hand.
 * @param {number[][]} landmarks 21 × (x, y, z) relative to the size of the image
 * @param {number} width of the image in pixels
 * @param {number} height of the image in pixels
 * @returns {{x: number, y: number, side: number, rotation: number}} a square: centre and side in pixels, and rotation
 *   clockwise in radians
 */
function regionAround(landmarks, width, height) {
  const points = landmarks.map(([x, y]) => [x * width, y * height]);
  const towards = [0, 1].map((axis) => ((points[5][axis] + points[13][axis]) / 2 + points[9][axis]) / 2 - points[0][axis]);
  const rotation = Math.atan2(towards[0], -towards[1]);
  const [cos, sin] = [Math.cos(rotation), Math.sin(rotation)];
  const turned = REGION_JOINTS.map((joint) => [
    points[joint][0] * cos + points[joint][1] * sin, points[joint][1] * cos - points[joint][0] * sin,
  ]);
  const [low, high] = [Math.min, Math.max].map((pick) => [0, 1].map((axis) => pick(...turned.map((point) => point[axis]))));
  const right = (low[0] + high[0]) / 2;
  const down = (low[1] + high[1]) / 2 - 0.1 * (high[1] - low[1]);
  const side = 2 * Math.max(high[0] - low[0], high[1] - low[1]);
  return { x: right * cos - down * sin, y: right * sin + down * cos, side, rotation };
}

/**
 * Cut out a region, and rotate it upright. Outside of the image, its border is repeated.
 * @param {ImageData} image the image
 * @param {{x: number, y: number, side: number, rotation: number}} region see regionAround
 * @param {boolean} mirror mirror the result
 * @returns {ImageData} EMBEDDED_SIDE × EMBEDDED_SIDE pixels
 */
function cutRegion(image, region, mirror) {
  const { data, width, height } = image;
  const cut = new ImageData(EMBEDDED_SIDE, EMBEDDED_SIDE);
  const step = region.side / EMBEDDED_SIDE;
  const [across, down] = [step * Math.cos(region.rotation), step * Math.sin(region.rotation)];
  const sign = mirror ? -1 : 1;
  const middle = (EMBEDDED_SIDE - 1) / 2;
  const clamp = (value, size) => Math.min(Math.max(value, 0), size - 1);
  for (let row = 0, index = 0; row < EMBEDDED_SIDE; row += 1) {
    for (let column = 0; column < EMBEDDED_SIDE; column += 1, index += 4) {
      const [dx, dy] = [sign * (column - middle), row - middle];
      const x = region.x - 0.5 + across * dx - down * dy;
      const y = region.y - 0.5 + down * dx + across * dy;
      const [left, top] = [Math.floor(x), Math.floor(y)];
      const [u, v] = [x - left, y - top];
      const [x0, x1] = [clamp(left, width), clamp(left + 1, width)];
      const [y0, y1] = [clamp(top, height) * width, clamp(top + 1, height) * width];
      for (let channel = 0; channel < 4; channel += 1) {
        const upper = (1 - u) * data[4 * (y0 + x0) + channel] + u * data[4 * (y0 + x1) + channel];
        const lower = (1 - u) * data[4 * (y1 + x0) + channel] + u * data[4 * (y1 + x1) + channel];
        cut.data[index + channel] = (1 - v) * upper + v * lower;
      }
    }
  }
  return cut;
}

/**
 * Return the embedding of a hand, followed by sine and cosine of its rotation.
 * @param {{embed: function(ImageData): {embeddings: {floatEmbedding: number[]}[]}}} embedder MediaPipe's ImageEmbedder
 * @param {ImageData} image the image, not mirrored
 * @param {{landmarks: number[][], handedness: string}} hand see canonicalPoints
 * @param {boolean} mirrorLeft mirror left hands
 * @returns {number[]} 1154 values
 */
function embedHand(embedder, image, hand, mirrorLeft) {
  const mirror = mirrorLeft && hand.handedness === "left";
  const region = regionAround(hand.landmarks, image.width, image.height);
  const { floatEmbedding } = embedder.embed(cutRegion(image, region, mirror)).embeddings[0];
  const rotation = mirror ? -region.rotation : region.rotation;
  return [...floatEmbedding, Math.sin(rotation), Math.cos(rotation)];
}
