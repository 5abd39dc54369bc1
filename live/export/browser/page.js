"use strict";
// The page: takes frames from the camera, finds the hand with MediaPipe, and shows the recognised letter.
/* global aslkitModel, applyTemperature, canonicalPoints, createNetwork, explainAddress, landmarkFeatures, loadMediaPipe, MotionReader,
   RESTING, Speller, toHand */

const TOP_LETTERS = 5; // number of the most probable letters that are shown
const MAX_FILE_BYTES = 1_000_000;
const MAX_COORDINATE = 1e6;
const FINGERS = [[0, 1, 2, 3, 4], [0, 5, 6, 7, 8], [0, 9, 10, 11, 12], [0, 13, 14, 15, 16], [0, 17, 18, 19, 20], [5, 9, 13, 17]];

const { contract, name } = aslkitModel;
const NEEDS_LANDMARKS = ["landmarks", "both"].includes(contract.kind);
const NEEDS_EMBEDDING = ["embedding", "both"].includes(contract.kind);
const EMBEDDING_VALUES = 1154;
const network = createNetwork(aslkitModel.network);
const motionReader = aslkitModel.motion && new MotionReader(createNetwork(aslkitModel.motion), contract.motion);
const speller = new Speller(aslkitModel.speller);
const element = (id) => document.getElementById(id);

/**
 * Recognise the letter that a hand shows.
 * @param {{landmarks: number[][], width: number, height: number, handedness: string, embedding: number[]}} hand see
 *   canonicalPoints, and embedHand if the network needs an embedding
 * @returns {{probabilities: number[], letter: string, rejected: boolean, resting: boolean}} probabilities in the order of
 *   contract.letters, the most probable letter, whether its probability is below the threshold, and whether a rest pose is
 *   more probable
 */
function recognise(hand) {
  const landmarks = NEEDS_LANDMARKS ? landmarkFeatures(canonicalPoints(hand, contract.mirror_left)) : [];
  const inputs = Float32Array.from([...landmarks, ...(NEEDS_EMBEDDING ? hand.embedding : [])]);
  const outputs = network(inputs);
  const probabilities = [...applyTemperature(outputs, contract.temperature)];
  const best = probabilities.indexOf(Math.max(...probabilities));
  // Not `<`: a probability that is NaN is rejected as well.
  const rejected = !(probabilities[best] >= contract.threshold);
  return { probabilities, letter: contract.letters[best], rejected, resting: isResting(outputs) };
}

/** Return whether a rest pose is more probable than any letter: its probability is distributed evenly over all letters. */
function isResting(outputs) {
  const smallest = Math.min(...outputs);
  return outputs.length * smallest > Math.max(...outputs) - smallest;
}

let drawn = null; // the last letter that was drawn

/**
 * Recognise the letter in a frame of the camera, and update the text.
 * @param {number} time of the frame in seconds
 * @param {object | null} hand see `recognise`; null if there is none
 * @returns {{recognition: object | null, motion: object}} see `recognise` and MotionReader.observe
 */
function readFrame(time, hand) {
  const recognition = hand && recognise(hand);
  const motion = motionReader ? motionReader.observe(time, hand) : RESTING;
  const letter = recognition && !recognition.rejected && !recognition.resting ? recognition.letter : null;
  speller.observe({ time, hand: Boolean(hand), letter, motion });
  drawn = motion.letter ?? drawn;
  return { recognition, motion };
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

/**
 * Show what was recognised.
 * @param {object | null} recognition result of `recognise`; null if there is no hand
 * @param {object} motion result of MotionReader.observe
 */
function showRecognition(recognition, motion = RESTING) {
  const letters = (recognition?.probabilities ?? []).map((probability, index) => [contract.letters[index], probability]);
  // Not the static letters that the hand shape resembles at the end of a drawn one.
  const topLetters = recognition && motion.ended ? [[drawn.letter, drawn.probability]]
    : letters.sort((a, b) => b[1] - a[1]).slice(0, TOP_LETTERS);
  showLetter(...describeLetter(recognition, motion, topLetters[0]?.[1]));
  element("top-letters").replaceChildren(...topLetters.map(([topLetter, probability]) => createRow(topLetter, probability)));
}

function showLetter(text, explanation) {
  const letter = element("letter");
  // Screen readers announce every assignment, so assign only changes.
  if (letter.textContent !== (text ?? "–")) letter.textContent = text ?? "–";
  letter.dataset.rejected = String(!text);
  element("confidence").textContent = explanation;
}

/** Return the letter to show, or null, and an explanation, from the highest probability that is shown. */
function describeLetter(recognition, motion, probability) {
  if (!recognition) return [null, ""];
  if (motion.ended) return [drawn.letter, `${formatPercent(probability)} confidence`];
  if (motion.moving) return [null, "The hand is moving"];
  if (recognition.rejected) return [null, `possibly ${recognition.letter}; ${formatPercent(contract.threshold)} required`];
  if (recognition.resting) return [null, "A resting hand"];
  return [recognition.letter, `${formatPercent(probability)} confidence`];
}

/** Show the text that was spelled. */
function showText() {
  const text = element("text");
  if (text.textContent !== speller.text) {
    text.textContent = speller.text;
    text.scrollTop = text.scrollHeight;
  }
  for (const id of ["delete", "clear"]) element(id).disabled = !speller.text;
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
    showRecognition({ ...recognise(parseHand(await file.text())), resting: false });
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
function readPixels(video) {
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
  const now = performance.now();
  const result = landmarker.detectForVideo(video, now);
  drawHand(result.landmarks[0]);
  const frame = { width: video.videoWidth, height: video.videoHeight, readPixels: () => readPixels(video) };
  const hand = toHand(result, frame, embedder, contract.mirror_left);
  const { recognition, motion } = readFrame(now / 1000, hand);
  showRecognition(recognition, motion);
  showText();
  if (!hand) showStatus("wait", "No hand in the image");
  else if (!motion.moving && !motion.ended && (recognition.rejected || recognition.resting))
    showStatus("wait", "A hand, but no letter with enough confidence");
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
for (const id of ["delete", "clear"]) element(id).addEventListener("click", () => {
  speller[id]();
  showText();
});
if (motionReader) element("text").dataset.empty = "Hold a letter, or draw J or Z";
checkAddress();
