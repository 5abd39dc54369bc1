"use strict";
// Loads MediaPipe from the folder of the page, and finds the hand in a frame.
/* global embedHand */

const MIN_DETECTION_CONFIDENCE = 0.3; // as in aslkit

/** Return why the camera or MediaPipe cannot be used at this address, or null. */
function explainAddress() {
  if (location.protocol === "file:")
    return "Browsers cannot load MediaPipe from a file: run “python -m http.server 8000 --bind 127.0.0.1” in this page's folder, and open http://127.0.0.1:8000.";
  if (!navigator.mediaDevices?.getUserMedia)
    return "Browsers give the camera only to pages over https or on this device (127.0.0.1): serve this folder over https.";
  return null;
}

/**
 * Load MediaPipe's hand landmarker, and its image embedder if the network needs an embedding. Throws an Error with a
 * message for the user.
 * @param {boolean} withEmbedding whether the network needs an embedding
 */
async function loadMediaPipe(withEmbedding) {
  // Otherwise MediaPipe loads, and fails with an obscure error in the first frame.
  if (!document.createElement("canvas").getContext("webgl2"))
    throw new Error("MediaPipe needs WebGL 2. Turn on hardware acceleration in the settings of the browser, or use another browser.");
  const vision = await load("mediapipe/vision_bundle.js", (url) => import(url));
  if (!(await vision.FilesetResolver.isSimdSupported()))
    throw new Error("This browser is too old. Chrome 91, Firefox 89, Safari 16.4 and later work.");
  const files = await vision.FilesetResolver.forVisionTasks(new URL("mediapipe", document.baseURI).href);
  const model = await load("hand.task", fetchModel);
  const landmarker = await load("mediapipe/vision_wasm_internal.wasm", () => vision.HandLandmarker.createFromOptions(files, {
    baseOptions: model, runningMode: "VIDEO", numHands: 1, minHandDetectionConfidence: MIN_DETECTION_CONFIDENCE,
  }));
  if (!withEmbedding) return { landmarker };
  const embedder = await load("embedding.tflite", async (url) =>
    vision.ImageEmbedder.createFromOptions(files, { baseOptions: await fetchModel(url), runningMode: "IMAGE" }));
  return { landmarker, embedder };
}

/** Load a file of the page's folder with a function. Its errors name the file. */
async function load(path, loadFrom) {
  try {
    return await loadFrom(new URL(path, document.baseURI).href);
  } catch (error) {
    throw new Error(`Could not load ${path}. ${error?.message ?? "Is the file on the server?"}`);
  }
}

async function fetchModel(url) {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`HTTP status ${response.status}`);
  return { modelAssetBuffer: new Uint8Array(await response.arrayBuffer()) };
}

/**
 * Return the hand that MediaPipe found, as `recognise` needs it; null if there is none.
 * @param {{landmarks: {x: number, y: number, z: number}[][], handedness: object[][]}} result of the hand landmarker
 * @param {{width: number, height: number, readPixels: function(): ImageData}} frame not mirrored
 * @param {object} embedder MediaPipe's image embedder, or undefined
 * @param {boolean} mirrorLeft mirror left hands
 */
function toHand(result, { width, height, readPixels }, embedder, mirrorLeft) {
  if (!result.landmarks.length) return null;
  const hand = {
    landmarks: result.landmarks[0].map(({ x, y, z }) => [x, y, z]), width, height,
    handedness: result.handedness[0][0].categoryName.toLowerCase(),
  };
  if (embedder) hand.embedding = embedHand(embedder, readPixels(), hand, mirrorLeft);
  return hand;
}
