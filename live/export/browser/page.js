"use strict";
/* global aslkitModel, aslkitSettings, canonicalPoints, landmarkFeatures, networkOf, tempered */

const SHOWN = 5;
const LARGEST_FILE = 1_000_000; // bytes
const FINGERS = [[0, 1, 2, 3, 4], [0, 5, 6, 7, 8], [0, 9, 10, 11, 12], [0, 13, 14, 15, 16], [0, 17, 18, 19, 20], [5, 9, 13, 17]];

const { contract, name } = aslkitModel;
const network = networkOf(aslkitModel.network);
const at = (id) => document.getElementById(id);

/**
 * What a hand shows.
 * @param {{landmarks: number[][], width: number, height: number, handedness: string}} hand not mirrored
 * @returns {{probabilities: number[], letter: string, refused: boolean}} probabilities in the order of the contract's letters
 */
function recognise(hand) {
  const inputs = landmarkFeatures(canonicalPoints(hand, contract.mirror_left));
  const probabilities = [...tempered(network(inputs), contract.temperature)];
  const best = probabilities.indexOf(Math.max(...probabilities));
  return { probabilities, letter: contract.letters[best], refused: !(probabilities[best] >= contract.threshold) };
}

function tell(state, text) {
  at("status").dataset.state = state;
  at("status-text").textContent = text;
}

function explain(title, text, again) {
  at("notice-title").textContent = title;
  at("notice-text").textContent = text;
  at("start").textContent = again;
  at("notice").hidden = false;
}

const percent = (share) => `${(100 * share).toFixed(1)} %`;

function show(seen) {
  const letter = at("letter");
  const shown = !seen || seen.refused ? "–" : seen.letter;
  if (letter.textContent !== shown) letter.textContent = shown; // or a screen reader would say it at each frame
  letter.dataset.refused = String(!seen || seen.refused);
  const order = seen ? seen.probabilities.map((share, i) => [share, i]).sort((a, b) => b[0] - a[0]).slice(0, SHOWN) : [];
  at("sure").textContent = !seen ? "" : seen.refused ? `perhaps ${seen.letter}; it takes ${percent(contract.threshold)}` : `${percent(order[0][0])} sure`;
  at("likely").replaceChildren(...order.map(([share, i]) => row(contract.letters[i], share)));
}

function row(letter, share) {
  const [line, who, bar, full, figure] = ["li", "b", "span", "i", "span"].map((tag) => document.createElement(tag));
  who.textContent = letter;
  bar.className = "bar";
  full.style.width = `${100 * share}%`;
  bar.append(full);
  figure.className = "share";
  figure.textContent = percent(share);
  line.append(who, bar, figure);
  return line;
}

/** A hand out of a file that anybody may have written; an Error in words where it is none. */
function handOf(text) {
  const wrong = (what) => new Error(`This is no file of landmarks: ${what}.`);
  let found;
  try {
    found = JSON.parse(text);
  } catch {
    throw wrong("it is not JSON");
  }
  const number = (value) => typeof value === "number" && Number.isFinite(value) && Math.abs(value) < 1e6;
  const points = found?.landmarks;
  if (!Array.isArray(points) || points.length !== 21) throw wrong("landmarks must be a list of 21");
  if (!points.every((each) => Array.isArray(each) && each.length === 3 && each.every(number)))
    throw wrong("each landmark must be three numbers: x, y, z");
  if (![found.width, found.height].every((side) => number(side) && side > 0)) throw wrong("width and height are missing");
  if (!["left", "right"].includes(found.handedness)) throw wrong("handedness must be left or right");
  return found;
}

async function showFile(file) {
  try {
    if (file.size > LARGEST_FILE) throw new Error(`${file.name} is too large for a file of landmarks.`);
    show(recognise(handOf(await file.text())));
    tell("good", `Landmarks of ${file.name}`);
  } catch (error) {
    show(null);
    tell("bad", error.message);
  }
}

function draw(landmarks) {
  const [canvas, video] = [at("overlay"), at("video")];
  if (canvas.width !== video.videoWidth) [canvas.width, canvas.height] = [video.videoWidth, video.videoHeight];
  const pen = canvas.getContext("2d");
  pen.clearRect(0, 0, canvas.width, canvas.height);
  if (!landmarks) return;
  const place = ({ x, y }) => [x * canvas.width, y * canvas.height];
  pen.lineWidth = Math.max(2, canvas.width / 240);
  pen.strokeStyle = pen.fillStyle = "#5cc7c0";
  for (const finger of FINGERS) {
    pen.beginPath();
    for (const joint of finger) pen.lineTo(...place(landmarks[joint]));
    pen.stroke();
  }
  for (const joint of landmarks) {
    pen.beginPath();
    pen.arc(...place(joint), pen.lineWidth * 1.4, 0, 2 * Math.PI);
    pen.fill();
  }
}

/** MediaPipe's hand finder; an Error that says what it needs where it cannot be loaded. */
async function landmarker() {
  const { tasksVision, wasm, handModel } = aslkitSettings;
  let trying = tasksVision;
  try {
    const vision = await import(new URL(tasksVision, document.baseURI).href);
    trying = wasm;
    const files = await vision.FilesetResolver.forVisionTasks(new URL(wasm, document.baseURI).href);
    trying = handModel;
    const answer = await fetch(new URL(handModel, document.baseURI).href);
    if (!answer.ok) throw new Error(`the server says ${answer.status}`);
    const options = { modelAssetBuffer: new Uint8Array(await answer.arrayBuffer()) };
    return await vision.HandLandmarker.createFromOptions(files, {
      baseOptions: options, runningMode: "VIDEO", numHands: 1, minHandDetectionConfidence: 0.3,
    });
  } catch (error) {
    const reason = String(error?.message ?? error);
    const why = reason.includes("://") ? "" : ` (${reason})`; // browsers only name the address once more
    throw new Error(`Could not load ${trying}${why}. The page needs the network for it, or a copy beside it: README.md says how.`);
  }
}

async function camera() {
  if (!navigator.mediaDevices?.getUserMedia)
    throw new Error("A browser gives no camera to a page opened as a file, or over http from another machine. README.md says how to open it.");
  try {
    return await navigator.mediaDevices.getUserMedia({ video: { width: 640, height: 480, facingMode: "user" }, audio: false });
  } catch (error) {
    const words = { NotAllowedError: "The camera was not allowed. Allow it in the address bar.", NotFoundError: "No camera was found." };
    throw new Error(words[error.name] ?? `The camera does not start: ${error.message}`);
  }
}

function look(finder, video) {
  const found = finder.detectForVideo(video, performance.now());
  const landmarks = found.landmarks[0];
  draw(landmarks);
  if (!landmarks) {
    show(null);
    tell("wait", "No hand in the picture");
    return;
  }
  const said = (found.handedness ?? found.handednesses)[0][0].categoryName.toLowerCase();
  const swapped = { left: "right", right: "left" };
  const seen = recognise({
    landmarks: landmarks.map(({ x, y, z }) => [x, y, z]), width: video.videoWidth, height: video.videoHeight,
    handedness: aslkitSettings.handsNamedAsInMirror ? swapped[said] : said,
  });
  show(seen);
  tell(seen.refused ? "wait" : "good", seen.refused ? "A hand, but no letter that it is sure of" : "Recognising");
}

async function start() {
  at("notice").hidden = true;
  tell("wait", "Loading MediaPipe, which finds the hand …");
  try {
    const finder = await landmarker();
    const stream = await camera();
    const video = at("video");
    video.srcObject = stream;
    await video.play();
    at("picture").style.aspectRatio = `${video.videoWidth} / ${video.videoHeight}`;
    stream.getVideoTracks()[0].addEventListener("ended", () => stopped(new Error("The camera has gone.")));
    const next = () => {
      if (!stream.active) return;
      try {
        look(finder, video);
        requestAnimationFrame(next);
      } catch (error) {
        stream.getTracks().forEach((track) => track.stop());
        stopped(error);
      }
    };
    next();
  } catch (error) {
    stopped(error);
  }
}

function stopped(error) {
  show(null);
  explain("It does not run yet", error.message, "Try again");
  tell("bad", "The camera is off. A file of landmarks still works.");
}

at("run").textContent = name;
document.title = `${name} · aslkit`;
at("start").addEventListener("click", start);
at("file").addEventListener("change", ({ target }) => {
  if (target.files[0]) showFile(target.files[0]);
  target.value = ""; // the same file may be chosen again
});
