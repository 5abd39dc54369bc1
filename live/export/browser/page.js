"use strict";
// The page: takes frames from the camera, finds the hand with MediaPipe, and shows the recognised letter.
/* global aslkitModel, applyTemperature, canonicalPoints, createNetwork, explainAddress, landmarkFeatures, loadMediaPipe, toHand */

const TOP_LETTERS = 5; // number of the most probable letters that are shown
const MAX_FILE_BYTES = 1_000_000;
const MAX_COORDINATE = 1e6;
const FINGERS = [[0, 1, 2, 3, 4], [0, 5, 6, 7, 8], [0, 9, 10, 11, 12], [0, 13, 14, 15, 16], [0, 17, 18, 19, 20], [5, 9, 13, 17]];

const { contract, name } = aslkitModel;
const NEEDS_LANDMARKS = ["landmarks", "both"].includes(contract.kind);
const NEEDS_EMBEDDING = ["embedding", "both"].includes(contract.kind);
const EMBEDDING_VALUES = 1154;
const network = createNetwork(aslkitModel.network);
const element = (id) => document.getElementById(id);

/**
 * Recognise the letter that a hand shows.
 * @param {{landmarks: number[][], width: number, height: number, handedness: string, embedding: number[]}} hand see
 *   canonicalPoints, and embedHand if the network needs an embedding
 * @returns {{probabilities: number[], letter: string, rejected: boolean}} probabilities in the order of
 *   contract.letters, the most probable letter, and whether its probability is below the threshold
 */
function recognise(hand) {
  const landmarks = NEEDS_LANDMARKS ? landmarkFeatures(canonicalPoints(hand, contract.mirror_left)) : [];
  const inputs = Float32Array.from([...landmarks, ...(NEEDS_EMBEDDING ? hand.embedding : [])]);
  const probabilities = [...applyTemperature(network(inputs), contract.temperature)];
  const best = probabilities.indexOf(Math.max(...probabilities));
  // Not `<`: a probability that is NaN is rejected as well.
  return { probabilities, letter: contract.letters[best], rejected: !(probabilities[best] >= contract.threshold) };
}

function showStatus(state, text) {
  element("status").dataset.state = state;
  element("status-text").textContent = text;
}

function showNotice(title, text, buttonText) {
  element("notice-title").textContent = title;
  element("notice-text").textContent = text;
  element("start").textContent = buttonText;
  element("notice").hidden = false;
}

const formatPercent = (probability) => `${(100 * probability).toFixed(1)} %`;

/** Show the result of `recognise`; null if there is no hand. */
function showRecognition(recognition) {
  const rejected = !recognition || recognition.rejected;
  const letter = element("letter");
  const letterText = rejected ? "–" : recognition.letter;
  // Screen readers announce every assignment, so assign only changes.
  if (letter.textContent !== letterText) letter.textContent = letterText;
  letter.dataset.rejected = String(rejected);
  const topLetters = (recognition?.probabilities ?? [])
    .map((probability, index) => [contract.letters[index], probability])
    .sort((a, b) => b[1] - a[1])
    .slice(0, TOP_LETTERS);
  element("confidence").textContent = recognition ? describeConfidence(recognition, topLetters[0][1]) : "";
  element("top-letters").replaceChildren(...topLetters.map(([topLetter, probability]) => createRow(topLetter, probability)));
}

function describeConfidence({ letter, rejected }, probability) {
  return rejected ? `possibly ${letter}; ${formatPercent(contract.threshold)} required` : `${formatPercent(probability)} confidence`;
}

function createRow(letter, probability) {
  const [row, name, bar, fill, percent] = ["li", "b", "span", "i", "span"].map((tag) => document.createElement(tag));
  name.textContent = letter;
  bar.className = "bar";
  fill.style.width = `${100 * probability}%`;
  bar.append(fill);
  percent.className = "percent";
  percent.textContent = formatPercent(probability);
  row.append(name, bar, percent);
  return row;
}

/** Parse and validate an untrusted file of landmarks. Throws an Error with a message for the user. */
function parseHand(text) {
  const invalid = (reason) => new Error(`This is not a landmark file: ${reason}.`);
  let hand;
  try {
    hand = JSON.parse(text);
  } catch {
    throw invalid("it is not JSON");
  }
  const isNumber = (value) => typeof value === "number" && Number.isFinite(value) && Math.abs(value) < MAX_COORDINATE;
  const points = hand?.landmarks;
  if (!Array.isArray(points) || points.length !== 21) throw invalid("landmarks must be a list of 21 points");
  if (!points.every((point) => Array.isArray(point) && point.length === 3 && point.every(isNumber)))
    throw invalid("each landmark must be a list of three numbers: x, y, z");
  if (![hand.width, hand.height].every((side) => isNumber(side) && side > 0))
    throw invalid("width and height must be positive numbers");
  if (!["left", "right"].includes(hand.handedness)) throw invalid("handedness must be left or right");
  if (NEEDS_EMBEDDING && !(hand.embedding?.length === EMBEDDING_VALUES && hand.embedding.every(isNumber)))
    throw invalid(`this model also needs embedding, a list of ${EMBEDDING_VALUES} numbers`);
  return hand;
}

async function recogniseFile(file) {
  try {
    if (file.size > MAX_FILE_BYTES) throw new Error(`${file.name} is too large for a landmark file.`);
    showRecognition(recognise(parseHand(await file.text())));
    showStatus("good", `Landmarks from ${file.name}`);
  } catch (error) {
    showRecognition(null);
    showStatus("bad", error.message);
  }
}

/** Draw the skeleton of a hand over the video, or clear it. */
function drawHand(landmarks) {
  const [canvas, video] = [element("overlay"), element("video")];
  if (canvas.width !== video.videoWidth) [canvas.width, canvas.height] = [video.videoWidth, video.videoHeight];
  const pen = canvas.getContext("2d");
  pen.clearRect(0, 0, canvas.width, canvas.height);
  if (!landmarks) return;
  const toPixels = ({ x, y }) => [x * canvas.width, y * canvas.height];
  pen.lineWidth = Math.max(2, canvas.width / 240);
  pen.strokeStyle = pen.fillStyle = "#5cc7c0";
  for (const finger of FINGERS) {
    pen.beginPath();
    for (const joint of finger) pen.lineTo(...toPixels(landmarks[joint]));
    pen.stroke();
  }
  for (const landmark of landmarks) {
    pen.beginPath();
    pen.arc(...toPixels(landmark), pen.lineWidth * 1.4, 0, 2 * Math.PI);
    pen.fill();
  }
}

const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });

/** Return the pixels of the video's current frame. */
function readFrame(video) {
  if (canvas.canvas.width !== video.videoWidth) Object.assign(canvas.canvas, { width: video.videoWidth, height: video.videoHeight });
  canvas.drawImage(video, 0, 0);
  return canvas.getImageData(0, 0, video.videoWidth, video.videoHeight);
}

/** Open the camera. Throws an Error with a message for the user. */
async function openCamera() {
  try {
    return await navigator.mediaDevices.getUserMedia({ video: { width: 640, height: 480, facingMode: "user" }, audio: false });
  } catch (error) {
    const messages = { NotAllowedError: "Camera access is blocked. Allow it in the address bar.", NotFoundError: "No camera was found." };
    throw new Error(messages[error.name] ?? `The camera cannot be started: ${error.message}`);
  }
}

function processFrame({ landmarker, embedder }, video) {
  const result = landmarker.detectForVideo(video, performance.now());
  drawHand(result.landmarks[0]);
  const frame = { width: video.videoWidth, height: video.videoHeight, readPixels: () => readFrame(video) };
  const hand = toHand(result, frame, embedder, contract.mirror_left);
  if (!hand) {
    showRecognition(null);
    showStatus("wait", "No hand in the image");
    return;
  }
  const recognition = recognise(hand);
  showRecognition(recognition);
  if (recognition.rejected) showStatus("wait", "A hand, but no letter with enough confidence");
  else showStatus("good", "Recognising");
}

let models = null; // kept if the camera fails, so that the next try is fast

async function start() {
  element("notice").hidden = true;
  showStatus("wait", "Loading hand detection …");
  try {
    models ??= await loadMediaPipe(NEEDS_EMBEDDING);
    const stream = await openCamera();
    const video = element("video");
    video.srcObject = stream;
    await video.play();
    element("picture").style.aspectRatio = `${video.videoWidth} / ${video.videoHeight}`;
    stream.getVideoTracks()[0].addEventListener("ended", () => showFailure(new Error("The camera was disconnected.")));
    let lastTime = -1;
    const next = () => {
      // Otherwise the loop would go on after the camera was disconnected.
      if (!stream.active) return;
      try {
        // Screens show more images per second than cameras take.
        if (video.currentTime !== lastTime) processFrame(models, video);
        lastTime = video.currentTime;
        requestAnimationFrame(next);
      } catch (error) {
        stream.getTracks().forEach((track) => track.stop());
        showFailure(error);
      }
    };
    next();
  } catch (error) {
    showFailure(error);
  }
}

function showFailure(error) {
  showRecognition(null);
  showNotice("Recognition is not running", error.message, "Try again");
  showStatus("bad", "The camera is off. You can still open a landmark file.");
}

/** Say at once if the camera cannot be used at this address, instead of after a click that cannot help. */
function checkAddress() {
  const problem = explainAddress();
  if (!problem) return;
  showNotice("The camera needs a web server", problem, "");
  element("start").hidden = true;
  showStatus("bad", "The camera is off. You can still open a landmark file.");
}

element("run").textContent = name;
document.title = `${name} · aslkit`;
element("start").addEventListener("click", start);
element("file").addEventListener("change", ({ target }) => {
  if (target.files[0]) recogniseFile(target.files[0]);
  target.value = ""; // so that the same file can be opened again
});
checkAddress();
