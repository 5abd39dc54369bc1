// The live page. It sends frames one at a time, each after the response to the previous one.

import { ApiClient, RequestRefused, ServerUnreachable } from "./api_client.js";
import { Camera } from "./camera.js";
import { drawHand } from "./hand.js";
import { Notice } from "./notice.js";

const RETRY_MS = 1000;
const COPY_NOTE_MS = 1500;

const COLOUR_LETTER = "#7ee2a8";
const COLOUR_NO_LETTER = "#ffc857";

const $ = (id) => document.getElementById(id);
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const client = new ApiClient();
const notice = new Notice();
const camera = new Camera($("video"), { onOpen: cameraOpened, onProblem: (problem) => showProblem("camera", problem) });

let state = null; // last state received from the server; null before the first one
let joined = false; // whether this is the active page
let finished = false; // whether the session is finished, or this page may not send frames any more
let text = "";

/** Show a problem of a kind, or clear it with null. While a problem is shown, there is no letter. */
function showProblem(kind, problem) {
  const first = notice.set(kind, problem);
  if (first) showReading({ letter: null, top_letters: [], progress: 0, text, landmarks: null, box: null }, first.title);
}

function cameraOpened(label, settings, cameras, deviceId) {
  $("picture").style.setProperty("--ratio", String($("video").videoWidth / $("video").videoHeight || 4 / 3));
  $("camera-choice").hidden = cameras.length < 2;
  const options = cameras.map(
    (device, index) => new Option(device.label || `Camera ${index + 1}`, device.deviceId, false, device.deviceId === deviceId),
  );
  $("cameras").replaceChildren(...options);
}

async function join() {
  for (;;) {
    try {
      state = await client.request("POST", "/join", {});
      client.page = state.page;
      joined = true;
      showProblem("server", null);
      showProblem("elsewhere", null);
      $("who").textContent = state.run_name;
      showText(state.text);
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
  if (error instanceof RequestRefused && [422, 429, 503].includes(error.status)) return true;
  if (error instanceof ServerUnreachable || error.status >= 500) {
    const unreachable = "Reconnecting… If aslkit has stopped, start it again.";
    const message = error instanceof ServerUnreachable ? unreachable : error.message;
    showProblem("server", { title: "The server does not respond", text: message });
    return true;
  }
  joined = false;
  if (error.status === 409 && error.why === "unknown") return true;
  if (error.status === 409) {
    showProblem("elsewhere", {
      title: "Recognition continues in another window",
      text: "Only one window can be used at a time.",
      button: "Continue here",
      action: () => join(),
    });
  } else {
    finished = true;
    const title = error.status === 410 ? "This session is finished" : "This page may not send frames";
    showProblem("over", { title, text: error.message });
  }
  return false;
}

/** Show the reading of a frame. `status` replaces the usual status line. */
function showReading(reading, status) {
  const { letter, top_letters: topLetters, landmarks } = reading;
  drawHand($("overlay"), landmarks, reading.box, letter ? COLOUR_LETTER : COLOUR_NO_LETTER);
  $("letter").textContent = letter ?? "";
  $("confidence").textContent = letter ? `${Math.round(topLetters[0][1] * 100)} %` : "";
  const instruction = landmarks ? "No letter. Hold one still." : "No hand. Show one completely.";
  $("status").textContent = status ?? (letter ? "This is" : instruction);
  $("progress").value = letter ? reading.progress : 0;
  showTopLetters(topLetters);
  showText(reading.text);
}

/** Elements are reused, because they change with every frame. */
function showTopLetters(topLetters) {
  const list = $("top-letters");
  while (list.children.length < topLetters.length) {
    const item = document.createElement("li");
    const bar = Object.assign(document.createElement("progress"), { max: 1 });
    bar.setAttribute("aria-hidden", "true");
    item.append(document.createElement("b"), bar, document.createElement("span"));
    list.append(item);
  }
  while (list.children.length > topLetters.length) list.lastChild.remove();
  topLetters.forEach(([letter, probability], index) => {
    const [name, bar, percent] = list.children[index].children;
    name.textContent = letter;
    bar.value = probability;
    percent.textContent = `${Math.round(probability * 100)} %`;
  });
}

/** Show the text. Screen readers announce only what was added: a letter, or the word that a space has ended. */
function showText(newText) {
  if (newText === text) return;
  const longer = newText.length > text.length;
  text = newText;
  $("spelled-text").textContent = text;
  $("text").scrollTop = $("text").scrollHeight;
  const added = text.at(-1) === " " ? text.trim().split(" ").at(-1) : text.at(-1);
  $("announcement").textContent = longer ? added : text;
}

/** Send a request for the user and show the returned text. Returns the response, or null if it failed. */
async function act(path, content) {
  try {
    const response = await client.request("POST", path, content);
    if (response.text !== undefined) showText(response.text);
    return response;
  } catch (error) {
    if (handleError(error) && !joined) join();
    return null;
  }
}

async function finish() {
  // The server is asked first: if it does not respond, the page stays usable and the text visible.
  if (finished || !(await act("/finish", {}))) return;
  finished = true;
  camera.close();
  showProblem("over", { title: "Finished", text: "You can close this window. The text is shown below, and in the terminal." });
}

function speak() {
  if (!text.trim()) return;
  if (window.speechSynthesis) speechSynthesis.speak(new SpeechSynthesisUtterance(text.toLowerCase()));
  else $("announcement").textContent = $("status").textContent = "This browser cannot speak.";
}

async function copy() {
  try {
    await navigator.clipboard.writeText(text.trim());
    $("announcement").textContent = "Copied.";
    $("copy").firstChild.textContent = "Copied ";
  } catch {
    $("copy").firstChild.textContent = "Not allowed ";
  }
  setTimeout(() => ($("copy").firstChild.textContent = "Copy "), COPY_NOTE_MS);
}

async function loop() {
  while (!finished) {
    if (!joined || !camera.live || document.hidden) {
      await pause(100);
      continue;
    }
    const startMs = performance.now();
    const frame = await camera.takeFrame();
    if (!frame) {
      await pause(4);
      continue;
    }
    try {
      showReading(await client.request("POST", "/frames", frame.jpeg));
      showProblem("server", null);
    } catch (error) {
      if (handleError(error)) await (joined ? pause(RETRY_MS / 2) : join());
    }
    // At most one frame is on its way; the pause only limits the rate if the server is faster than needed.
    await pause(Math.max(0, 1000 / state.fps - (performance.now() - startMs)));
  }
}

const pressKey = (key) => act("/keys", { key });
const actions = {
  " ": () => pressKey("space"),
  backspace: () => pressKey("delete"),
  x: () => pressKey("clear"),
  s: speak,
  c: copy,
  q: finish,
};
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("select")) return;
  const key = event.key.toLowerCase();
  // On a focused button, the space bar presses the button.
  if (!Object.hasOwn(actions, key) || (key === " " && event.target.closest("button"))) return;
  event.preventDefault();
  if (!event.repeat || key === "backspace") actions[key]();
});
for (const key of ["space", "delete", "clear"]) $(key).addEventListener("click", () => pressKey(key));
$("speak").addEventListener("click", speak);
$("copy").addEventListener("click", copy);
$("finish").addEventListener("click", finish);
$("cameras").addEventListener("change", () => camera.open(state.camera, $("cameras").value));
// Remove the focus after a mouse click, so that the space bar inserts a space instead of pressing the button again.
document.addEventListener("click", (event) => event.detail > 0 && event.target.closest("button")?.blur());

// Once the cookie is set, remove the token from the address bar, where others could read it.
history.replaceState(null, "", "/");
await join();
if (state) {
  camera.open(state.camera);
  loop();
}
