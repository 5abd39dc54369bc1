// The recording page. It sends frames one at a time, each after the response to the previous one.

import { Camera } from "./camera.js";
import { listen } from "./controls.js";
import { Recording } from "./recording.js";
import { RequestRefused, Server, ServerUnreachable } from "./server.js";
import { $, View } from "./view.js";

const RETRY_MS = 1000;
const THUMBNAIL_DELAY_MS = 400;
const SIMILAR_WARNING_MS = 1200;
const RECENT_FRAMES = 12;
const UNREACHABLE = {
  title: "The server does not respond",
  text: "Stored frames are safe. Reconnecting… If aslkit has stopped, start it again.",
};

const ALL_COMPLETE = "All letters are complete. Press Finish, or delete frames that you do not want.";

const TOUCH = matchMedia("(pointer: coarse)").matches;

const server = new Server();
const view = new View();
const camera = new Camera($("video"), { onOpen: cameraOpened, onProblem: (problem) => cameraFailed(problem) });
const recording = new Recording({
  onChange: recordingChanged,
  onCountdown: (seconds) => view.countdown(seconds),
  onTooShort: () => view.hint("Too short: keep holding until the countdown has ended."),
});

let state = null; // last state received from the server; null before the first one
let joined = false; // whether this is the active page
let finished = false; // whether the recording is finished, or this page may not record any more
let asking = false; // whether a question is open
let switching = false; // whether a request to switch the letter is pending
let recent = []; // files of the newest frames, newest first
let thumbnailTimer = 0;
let lastStoredMs = 0; // time at which the last frame was stored
let cameraInfo = null; // label and settings of the camera, to report to the server

const handlers = { choose, remove };
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

function apply(newState) {
  state = newState;
  recent = state.recent;
  recording.countdownS = state.countdown_s;
  recording.burstS = state.burst_s;
  recording.switchLetter(state.letter);
  view.state(state, handlers);
  view.problem("disk", state.failure && { title: "The disk is full", text: state.failure });
  if (state.question) ask(state.question);
  if (camera.live) askLicence();
}

async function join() {
  for (;;) {
    try {
      apply(await server.join());
      joined = true;
      view.problem("server", null);
      view.problem("elsewhere", null);
      if (cameraInfo) await reportCamera();
      return;
    } catch (error) {
      if (!handleError(error)) return;
      await pause(RETRY_MS);
    }
  }
}

/** Show a failed request to the user. Returns whether retrying makes sense. */
function handleError(error) {
  if (!(error instanceof ServerUnreachable || error instanceof RequestRefused)) throw error;
  if (error instanceof RequestRefused && [404, 422, 429, 503].includes(error.status)) {
    if (error.status < 429) view.announce(error.message);
    return true;
  }
  recording.stop();
  if (error instanceof ServerUnreachable || error.status >= 500) {
    if (error.status === 507) view.problem("disk", { title: "The disk is full", text: error.message });
    else view.problem("server", { ...UNREACHABLE, text: error instanceof ServerUnreachable ? UNREACHABLE.text : error.message });
    return true;
  }
  joined = false;
  if (error.status === 409 && error.why === "unknown") return true;
  if (error.status === 409) {
    view.problem("elsewhere", {
      title: "This recording continues in another window",
      text: "Only one window can record at a time.",
      button: "Record here",
      action: () => join(),
    });
  } else {
    finished = true;
    const title = error.status === 410 ? "This recording is finished" : "This page may not record";
    view.problem("over", { title, text: error.message });
  }
  return false;
}

/** Send a request for the user and show the returned state. Returns the response, or null if it failed. */
async function act(request) {
  try {
    const response = await request();
    apply({ ...state, ...response });
    return response;
  } catch (error) {
    if (handleError(error) && needsJoin(error)) join();
    return null;
  }
}

function needsJoin(error) {
  return error instanceof ServerUnreachable || (error.status === 409 && error.why === "unknown");
}

function recordingChanged() {
  view.recording(recording.on, recording.keeps(performance.now()));
}

function cameraOpened(label, settings, cameras, deviceId) {
  cameraInfo = { label, settings };
  view.cameras(cameras, deviceId);
  $("picture").style.setProperty("--ratio", String($("video").videoWidth / $("video").videoHeight || 4 / 3));
  if (joined) reportCamera();
  askLicence(); // only now, when the camera works
}

async function reportCamera() {
  try {
    await server.setCamera(cameraInfo.label, cameraInfo.settings);
  } catch (error) {
    handleError(error);
  }
}

function cameraFailed(problem) {
  if (problem) {
    recording.stop();
    view.hand(null);
  }
  view.problem("camera", problem);
}

/** Milliseconds between two frames. While recording, the storage interval is a whole number of them. */
function periodMs() {
  const shortest = 1 / state.fps;
  if (!recording.on || state.interval_s < shortest) return shortest * 1000;
  // 1e-6: rounding errors must not turn a whole number of frames into one fewer.
  return (state.interval_s / Math.floor(state.interval_s * state.fps + 1e-6)) * 1000 + 1;
}

async function loop() {
  let nextMs = 0;
  while (!finished) {
    const now = performance.now();
    // Browsers slow down timers of hidden pages, so these send no frames at all.
    const idle = !joined || !camera.live || document.hidden || asking;
    if (idle || now < nextMs) {
      await pause(idle ? 100 : nextMs - now);
      continue;
    }
    const frame = await camera.takeFrame();
    if (!frame) {
      await pause(8);
      continue;
    }
    nextMs = frame.takenMs + periodMs();
    await send(frame);
  }
}

async function send({ jpeg, takenMs }) {
  const keep = recording.keeps(takenMs) && !switching;
  const options = { keep, revision: state.revision, burst: recording.burstNumber, takenS: takenMs / 1000 };
  try {
    showDecision(await server.sendFrame(jpeg, options), keep);
    view.problem("server", null);
  } catch (error) {
    if (!handleError(error)) return;
    if (needsJoin(error)) await join();
    else await pause(RETRY_MS / 2);
  }
}

function showDecision(decision, keep) {
  const now = performance.now();
  const active = recording.keeps(now);
  if (decision.stored) lastStoredMs = now;
  // Some frames between stored ones are always too similar. Report that only if nothing was stored for a while.
  const tolerated = active && decision.reasons[0] === "too-alike" && now - lastStoredMs < SIMILAR_WARNING_MS;
  const good = !decision.reasons.length || tolerated || decision.stored !== null;
  const kind = active && good ? "rec" : good ? "good" : "bad";
  view.hand(decision.landmarks, decision.box, kind);
  const ready = `Good. Hold ${TOUCH ? "the button" : "the space bar or the button"} to record.`;
  const status = active ? `Recording ${decision.letter}.` : recording.on ? "Get ready." : ready;
  view.verdict(kind, good ? status : decision.messages[0]);
  if (keep || decision.hint) view.hint(decision.hint);
  if (decision.question) ask(decision.question);
  // The letter or the frames have changed since the last state, for example by a request that was still pending.
  if (decision.revision !== state.revision) {
    if (!switching) act(() => server.state());
    return;
  }
  state.counts[decision.letter] = decision.count;
  if (decision.complete && !state.complete.includes(decision.letter)) state.complete.push(decision.letter);
  state.usual_hand = decision.usual_hand;
  view.letter(state.letter, state.usual_hand);
  view.count(decision.count, state);
  view.progress(decision.letter, decision.count, state);
  if (decision.stored) addRecent(decision.stored);
  if (decision.complete && keep) switchToNextLetter();
}

/** Add a frame to the thumbnails. They are loaded in batches, so that they do not delay frames. */
function addRecent(file) {
  recent = [file, ...recent].slice(0, RECENT_FRAMES);
  if (thumbnailTimer) return;
  thumbnailTimer = setTimeout(() => {
    thumbnailTimer = 0;
    view.recent(recent, handlers.remove);
  }, THUMBNAIL_DELAY_MS);
}

/** Called when a letter is complete. Stops recording if all letters are. */
async function switchToNextLetter() {
  if (switching) return;
  switching = true;
  const completed = state.letter;
  const newState = await act(() => server.selectAdjacentLetter(1));
  switching = false;
  if (!newState) return;
  if (newState.letter === completed) {
    recording.stop();
    view.hint(newState.complete.length ? ALL_COMPLETE : null);
  } else {
    view.announce(`${completed} is complete. Now sign ${newState.letter}.`);
  }
}

async function choose(letter) {
  switching = true;
  const newState = await act(() => server.selectLetter(letter));
  switching = false;
  if (newState) $("record").focus({ preventScroll: true });
}

async function step(by) {
  switching = true;
  await act(() => server.selectAdjacentLetter(by));
  switching = false;
}

async function remove(file) {
  view.moveFocusFrom(file);
  await act(() => server.remove(file));
  view.announce("Frame deleted.");
}

async function undo() {
  recording.stop();
  const response = await act(() => server.undo());
  if (!response) return;
  const count = `${response.removed} ${response.removed === 1 ? "frame" : "frames"}`;
  view.announce(response.removed ? `${count} removed.` : "Nothing to undo.");
  view.verdict("wait", response.removed ? `Undone: ${count}.` : "Nothing to undo.");
}

async function ask(side) {
  if (asking) return;
  asking = true;
  recording.stop();
  const confirmed = await view.question(side);
  asking = false;
  if (confirmed !== null) await act(() => server.answerQuestion(confirmed));
}

async function askLicence() {
  if (asking || !state.licence_question) return;
  asking = true;
  while (joined && state.licence_question) {
    const licence = await view.licence(state.licence_question);
    await act(() => server.chooseLicence(licence));
  }
  asking = false;
}

async function finish() {
  recording.stop();
  if (finished || !(await view.confirmFinish())) return;
  try {
    const summary = await server.finish();
    finished = true;
    camera.close();
    view.summary(summary);
  } catch (error) {
    if (handleError(error) && needsJoin(error)) join();
  }
}

const canRecord = () => joined && !finished && !asking && camera.live && !document.querySelector("dialog[open]");

// Once the cookie is set, remove the token from the address bar, where others could read it.
history.replaceState(null, "", "/");
listen(recording, {
  canRecord,
  canAct: () => joined && !finished && !document.querySelector("dialog[open]"),
  undo,
  step,
  finish,
  useCamera: (id) => camera.open(state.camera, id),
});
await join();
if (state) {
  camera.open(state.camera);
  loop();
}
