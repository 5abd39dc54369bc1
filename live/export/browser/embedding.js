"use strict";
// Computes the embedding of a hand, like aslkit/vision/hand_region.py and aslkit/vision/hand_embedding.py. A test compares
// the results of both.

/** Width and height of the model's input, in pixels. */
const EMBEDDED_SIDE = 224;
/** Pixels of the image per pixel of the cut region above which the image is averaged first: sampling would skip pixels. */
const MAX_STEP = 2;
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
 * Average an image down to a smaller size, like INTER_AREA of OpenCV.
 * @param {ImageData} image the image
 * @param {number} width new width in pixels
 * @param {number} height new height in pixels
 * @returns {ImageData} the smaller image
 */
function shrinkImage(image, width, height) {
  const shrunk = new ImageData(width, height);
  const [from, to] = [image.data, shrunk.data];
  const [across, down] = [image.width / width, image.height / height];
  const area = across * down;
  for (let row = 0, index = 0; row < height; row += 1) {
    const top = row * down;
    const bottom = Math.min(top + down, image.height);
    for (let column = 0; column < width; column += 1, index += 4) {
      const left = column * across;
      const right = Math.min(left + across, image.width);
      let red = 0;
      let green = 0;
      let blue = 0;
      for (let y = Math.floor(top); y < bottom; y += 1) {
        const covered = (Math.min(y + 1, bottom) - Math.max(y, top)) / area;
        for (let x = Math.floor(left), pixel = 4 * (y * image.width + x); x < right; x += 1, pixel += 4) {
          const weight = covered * (Math.min(x + 1, right) - Math.max(x, left));
          red += weight * from[pixel];
          green += weight * from[pixel + 1];
          blue += weight * from[pixel + 2];
        }
      }
      to[index] = red;
      to[index + 1] = green;
      to[index + 2] = blue;
      to[index + 3] = 255;
    }
  }
  return shrunk;
}

/**
 * Cut out a region, and rotate it upright. Outside of the image, its border is repeated.
 * @param {ImageData} image the image
 * @param {{x: number, y: number, side: number, rotation: number}} region see regionAround
 * @param {boolean} mirror mirror the result
 * @returns {ImageData} EMBEDDED_SIDE × EMBEDDED_SIDE pixels
 */
function cutRegion(image, region, mirror) {
  const cut = new ImageData(EMBEDDED_SIDE, EMBEDDED_SIDE);
  const step = region.side / EMBEDDED_SIDE;
  const shrink = Math.min(1, MAX_STEP / step);
  const [width, height] = [image.width, image.height].map((side) => Math.max(1, Math.round(side * shrink)));
  const { data } = shrink < 1 ? shrinkImage(image, width, height) : image;
  const [scaleX, scaleY] = [width / image.width, height / image.height];
  const [across, down] = [step * Math.cos(region.rotation), step * Math.sin(region.rotation)];
  const sign = mirror ? -1 : 1;
  const middle = (EMBEDDED_SIDE - 1) / 2;
  const clamp = (value, size) => Math.min(Math.max(value, 0), size - 1);
  for (let row = 0, index = 0; row < EMBEDDED_SIDE; row += 1) {
    for (let column = 0; column < EMBEDDED_SIDE; column += 1, index += 4) {
      const [dx, dy] = [sign * (column - middle), row - middle];
      const x = (region.x + across * dx - down * dy) * scaleX - 0.5;
      const y = (region.y + down * dx + across * dy) * scaleY - 0.5;
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
