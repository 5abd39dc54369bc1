// The recorder's page: frames go to aslkit one at a time, the next one after the answer to the last.

import { Camera } from "./camera.js";
import { listen } from "./controls.js";
import { Recording } from "./recording.js";
import { Gone, Refused, Server } from "./server.js";
import { $, View } from "./view.js";

const RETRY_MS = 1000;
const THUMBNAILS_MS = 400;
const ALIKE_MS = 1200;
const GONE = {
  title: "The server does not answer",
  text: "What was stored is safe. Trying again… If aslkit has ended, start it again.",
};

const ALL_DONE = "All letters are complete. Press Finish, or take frames away that you do not want.";

const TOUCH = matchMedia("(pointer: coarse)").matches;

const server = new Server();
const view = new View();
const camera = new Camera($("video"), { open: cameraOpened, trouble: (trouble) => cameraTrouble(trouble) });
const recording = new Recording({ changed: recordingChanged, count: (seconds) => view.countdown(seconds) });

let state = null; // as the server told it last; null until then
let joined = false; // whether this page is the one that records
let over = false; // whether the sitting is finished
let asking = false; // whether the question about the other hand is open
let moving = false; // whether it goes to another letter
let recent = []; // the frames stored last, newest first
let recentTimer = 0;
let storedMs = 0; // when the last frame was stored
let used = null; // the camera, as it is to be told to the server

const handlers = { choose, remove };
const pause = (ms) => new Promise((done) => setTimeout(done, ms));

function apply(next) {
  state = next;
  recent = state.recent;
  recording.countdownS = state.countdown_s;
  recording.burstS = state.burst_s;
  recording.go(state.letter);
  view.state(state, handlers);
  view.trouble("disk", state.failure && { title: "The disk is full", text: state.failure });
  if (state.question) ask(state.question);
}

async function join() {
  for (;;) {
    try {
      apply(await server.join());
      joined = true;
      view.trouble("server", null);
      view.trouble("elsewhere", null);
      if (used) await tellCamera();
      return;
    } catch (error) {
      if (!lost(error)) return;
      await pause(RETRY_MS);
    }
  }
}

/** Deal with what went wrong. Returns whether it is worth trying again. */
function lost(error) {
  if (!(error instanceof Gone || error instanceof Refused)) throw error;
  if (error instanceof Refused && [404, 422, 429, 503].includes(error.status)) {
    if (error.status < 429) view.say(error.message);
    return true;
  }
  recording.stop();
  if (error instanceof Gone || error.status >= 500) {
    if (error.status === 507) view.trouble("disk", { title: "The disk is full", text: error.message });
    else view.trouble("server", { ...GONE, text: error instanceof Gone ? GONE.text : error.message });
    return true;
  }
  joined = false;
  if (error.status === 409 && error.why === "unknown") return true;
  if (error.status === 409) {
    view.trouble("elsewhere", {
      title: "This sitting goes on in another window",
      text: "Only one window records at a time.",
      button: "Take it back",
      action: () => join(),
    });
  } else {
    over = true;
    view.trouble("over", { title: error.status === 410 ? "This sitting is finished" : "This page may not record", text: error.message });
  }
  return false;
}

/** Ask the server for something that the user wants, and show the state it answers. */
async function act(asked) {
  try {
    const next = await asked();
    apply({ ...state, ...next });
    return next;
  } catch (error) {
    if (lost(error) && needsJoin(error)) join();
    return null;
  }
}

function needsJoin(error) {
  return error instanceof Gone || (error.status === 409 && error.why === "unknown");
}

function recordingChanged() {
  view.recording(recording.on, recording.keeps(performance.now()));
}

function cameraOpened(label, settings, cameras, chosen) {
  used = { label, settings };
  view.cameras(cameras, chosen);
  $("picture").style.setProperty("--ratio", String($("video").videoWidth / $("video").videoHeight || 4 / 3));
  if (joined) tellCamera();
}

async function tellCamera() {
  try {
    await server.camera(used.label, used.settings);
  } catch (error) {
    lost(error);
  }
}

function cameraTrouble(trouble) {
  if (trouble) {
    recording.stop();
    view.hand(null);
  }
  view.trouble("camera", trouble);
}

/** Seconds between two frames: while recording, the interval is a whole number of them. */
function periodMs() {
  const least = 1 / state.fps;
  if (!recording.on || state.interval_s < least) return least * 1000;
  return (state.interval_s / Math.floor(state.interval_s * state.fps + 1e-6)) * 1000 + 1;
}

async function loop() {
  let next = 0;
  while (!over) {
    const now = performance.now();
    const idle = !joined || !camera.live || document.hidden || asking;
    if (idle || now < next) {
      await pause(idle ? 100 : next - now);
      continue;
    }
    const shot = await camera.shot();
    if (!shot) {
      await pause(8);
      continue;
    }
    next = shot.takenMs + periodMs();
    await send(shot);
  }
}

async function send({ jpeg, takenMs }) {
  const keep = recording.keeps(takenMs) && !moving;
  try {
    show(await server.frame(jpeg, { keep, turn: state.turn, burst: recording.number, takenS: takenMs / 1000 }), keep);
    view.trouble("server", null);
  } catch (error) {
    if (!lost(error)) return;
    if (needsJoin(error)) await join();
    else await pause(RETRY_MS / 2);
  }
}

function show(answer, keep) {
  const now = performance.now();
  const active = recording.keeps(now);
  if (answer.stored) storedMs = now;
  // While frames are stored, some in between are always too alike: that is told only when nothing new comes for a while.
  const passing = active && answer.reasons[0] === "too-alike" && now - storedMs < ALIKE_MS;
  const good = !answer.reasons.length || passing || answer.stored !== null;
  const kind = active && good ? "rec" : good ? "good" : "bad";
  view.hand(answer.landmarks, answer.box, kind);
  const words = active ? `Recording ${answer.letter}.` : recording.on ? "Get ready." : `Good. Hold ${TOUCH ? "the button" : "the space bar or the button"} to record.`;
  view.verdict(kind, good ? words : answer.words[0]);
  if (keep || answer.nudge) view.nudge(answer.nudge);
  if (answer.question) ask(answer.question);
  if (answer.turn !== state.turn) {
    if (!moving) act(() => server.state());
    return;
  }
  state.counts[answer.letter] = answer.count;
  if (answer.complete && !state.complete.includes(answer.letter)) state.complete.push(answer.letter);
  state.usual_hand = answer.usual_hand;
  view.letter(state.letter, state.usual_hand);
  view.count(answer.count, state);
  view.progress(answer.letter, answer.count, state);
  if (answer.stored) stored(answer.stored);
  if (answer.complete && keep) goOn();
}

/** Thumbnails come a few at a time, so that they do not take the server's time from frames. */
function stored(file) {
  recent = [file, ...recent].slice(0, 12);
  if (recentTimer) return;
  recentTimer = setTimeout(() => {
    recentTimer = 0;
    view.recent(recent, handlers.remove);
  }, THUMBNAILS_MS);
}

/** A letter is complete: the next one, or all is done. */
async function goOn() {
  if (moving) return;
  moving = true;
  const done = state.letter;
  const next = await act(() => server.step(1));
  moving = false;
  if (!next) return;
  if (next.letter === done) {
    recording.stop();
    view.nudge(next.complete.length ? ALL_DONE : null);
  } else {
    view.say(`${done} is complete. Now sign ${next.letter}.`);
  }
}

async function choose(letter) {
  moving = true;
  const next = await act(() => server.choose(letter));
  moving = false;
  if (next) $("record").focus({ preventScroll: true });
}

async function step(by) {
  moving = true;
  await act(() => server.step(by));
  moving = false;
}

async function remove(file) {
  view.leave(file);
  await act(() => server.remove(file));
  view.say("Frame deleted.");
}

async function undo() {
  recording.stop();
  const next = await act(() => server.undo());
  if (next) view.say(next.removed ? `${next.removed} frames taken away.` : "Nothing to undo.");
  if (next) view.verdict("wait", next.removed ? `Undone: ${next.removed} ${next.removed === 1 ? "frame" : "frames"}.` : "Nothing to undo.");
}

async function ask(seen) {
  if (asking) return;
  asking = true;
  recording.stop();
  const isSo = await view.question(seen);
  asking = false;
  if (isSo !== null) await act(() => server.answer(isSo));
}

async function finish() {
  recording.stop();
  if (over || !(await view.confirmFinish())) return;
  try {
    const balance = await server.finish();
    over = true;
    camera.close();
    view.balance(balance);
  } catch (error) {
    if (lost(error) && needsJoin(error)) join();
  }
}

const canRecord = () => joined && !over && !asking && camera.live && !document.querySelector("dialog[open]");

// The token has done its work once the cookie is set: it need not stand in the address, where somebody may see it.
history.replaceState(null, "", "/");
listen(recording, {
  canRecord,
  canAct: () => joined && !over && !document.querySelector("dialog[open]"),
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
