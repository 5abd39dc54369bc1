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
  // Updated before each step, so that the error names the file that could not be loaded.
  let path = "mediapipe/vision_bundle.js";
  try {
    const vision = await import(new URL(path, document.baseURI).href);
    if (!(await vision.FilesetResolver.isSimdSupported())) throw new Error("This browser is too old. Chrome 91, Firefox 89, Safari 16.4 and later work.");
    path = "mediapipe/vision_wasm_internal.wasm";
    const files = await vision.FilesetResolver.forVisionTasks(new URL("mediapipe", document.baseURI).href);
    path = "hand.task";
    const landmarker = await vision.HandLandmarker.createFromOptions(files, {
      baseOptions: await loadModel(path), runningMode: "VIDEO", numHands: 1,
      minHandDetectionConfidence: MIN_DETECTION_CONFIDENCE,
    });
    if (!withEmbedding) return { landmarker };
    path = "embedding.tflite";
    const options = { baseOptions: await loadModel(path), runningMode: "IMAGE" };
    return { landmarker, embedder: await vision.ImageEmbedder.createFromOptions(files, options) };
  } catch (error) {
    throw new Error(`Could not load ${path}. ${error?.message ?? "Is the file on the server?"}`);
  }
}

async function loadModel(path) {
  const response = await fetch(new URL(path, document.baseURI).href);
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
