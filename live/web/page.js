// The page of aslkit live: frames go to aslkit one at a time, the next one after the answer to the last.

import { ApiClient, ServerUnreachable, RequestRefused } from "./api_client.js";
import { Camera } from "./camera.js";
import { drawHand } from "./hand.js";
import { Notice } from "./notice.js";

const RETRY_MS = 1000;

const $ = (id) => document.getElementById(id);
const pause = (ms) => new Promise((done) => setTimeout(done, ms));
const client = new ApiClient();
const notice = new Notice();
const camera = new Camera($("video"), { onOpen: opened, onProblem: cameraTrouble });

let state = null; // as the server told it last; null until then
let joined = false;
let over = false;
let text = "";

function trouble(kind, what) {
  const first = notice.set(kind, what);
  if (first) show({ letter: null, best: [], share: 0, text, landmarks: null, box: null }, first.title);
}

function cameraTrouble(what) {
  trouble("camera", what);
}

function opened(label, settings, cameras, chosen) {
  $("picture").style.setProperty("--ratio", String($("video").videoWidth / $("video").videoHeight || 4 / 3));
  $("camera-choice").hidden = cameras.length < 2;
  const options = cameras.map((each, n) => new Option(each.label || `Camera ${n + 1}`, each.deviceId, false, each.deviceId === chosen));
  $("cameras").replaceChildren(...options);
}

async function join() {
  for (;;) {
    try {
      state = await client.request("POST", "/join", {});
      client.page = state.page;
      joined = true;
      trouble("server", null);
      trouble("elsewhere", null);
      $("who").textContent = state.about;
      write(state.text);
      return;
    } catch (error) {
      if (!lost(error)) return;
      await pause(RETRY_MS);
    }
  }
}

/** Deal with what went wrong. Returns whether it is worth trying again. */
function lost(error) {
  if (!(error instanceof ServerUnreachable || error instanceof RequestRefused)) throw error;
  if (error instanceof RequestRefused && [422, 429, 503].includes(error.status)) return true;
  if (error instanceof ServerUnreachable || error.status >= 500) {
    const words = error instanceof ServerUnreachable ? "Trying again… If aslkit has ended, start it again." : error.message;
    trouble("server", { title: "The server does not answer", text: words });
    return true;
  }
  joined = false;
  if (error.status === 409 && error.why === "unknown") return true;
  if (error.status === 409) {
    trouble("elsewhere", { title: "Another window is being read", text: "Only one is at a time.", button: "Take it back", action: () => join() });
  } else {
    over = true;
    trouble("over", { title: error.status === 410 ? "Finished" : "This page may not be read", text: error.message });
  }
  return false;
}

function show({ letter, best, share, text: spelled, landmarks, box }, words) {
  drawHand($("overlay"), landmarks, box, letter ? "#7ee2a8" : "#ffc857");
  $("letter").textContent = letter ?? "";
  $("sure").textContent = letter ? `${Math.round(best[0][1] * 100)} %` : "";
  $("now").textContent = words ?? (letter ? "This is" : landmarks ? "No letter: hold one still." : "No hand: show one, all of it.");
  $("share").value = letter ? share : 0;
  while ($("best").children.length < best.length) {
    const item = document.createElement("li");
    item.append(document.createElement("b"), Object.assign(document.createElement("progress"), { max: 1 }), document.createElement("span"));
    item.children[1].setAttribute("aria-hidden", "true");
    $("best").append(item);
  }
  while ($("best").children.length > best.length) $("best").lastChild.remove();
  best.forEach(([each, probability], n) => {
    const [name, bar, number] = $("best").children[n].children;
    name.textContent = each;
    bar.value = probability;
    number.textContent = `${Math.round(probability * 100)} %`;
  });
  write(spelled);
}

function write(spelled) {
  if (spelled === text) return;
  const longer = spelled.length > text.length;
  text = spelled;
  $("letters").textContent = text;
  $("text").scrollTop = $("text").scrollHeight;
  $("said").textContent = longer ? (text.at(-1) === " " ? text.trim().split(" ").at(-1) : text.at(-1)) : text;
}

async function act(path, content) {
  try {
    const answer = await client.request("POST", path, content);
    if (answer.text !== undefined) write(answer.text);
    return answer;
  } catch (error) {
    if (lost(error) && !joined) join();
    return null;
  }
}

async function finish() {
  if (over || !(await act("/finish", {}))) return;
  over = true;
  camera.close();
  trouble("over", { title: "Finished", text: "You may close this window. The text stands below, and in the terminal." });
}

function speak() {
  if (!text.trim()) return;
  if (!window.speechSynthesis) $("said").textContent = $("now").textContent = "This browser has no voice.";
  else speechSynthesis.speak(new SpeechSynthesisUtterance(text.toLowerCase()));
}

async function copy() {
  try {
    await navigator.clipboard.writeText(text.trim());
    $("said").textContent = "Copied.";
    $("copy").firstChild.textContent = "Copied ";
  } catch {
    $("copy").firstChild.textContent = "Not allowed ";
  }
  setTimeout(() => ($("copy").firstChild.textContent = "Copy "), 1500);
}

async function loop() {
  while (!over) {
    if (!joined || !camera.live || document.hidden) {
      await pause(100);
      continue;
    }
    const began = performance.now();
    const shot = await camera.takeFrame();
    if (!shot) {
      await pause(4);
      continue;
    }
    try {
      show(await client.request("POST", "/frames", shot.jpeg));
      trouble("server", null);
    } catch (error) {
      if (lost(error)) await (joined ? pause(RETRY_MS / 2) : join());
    }
    await pause(Math.max(0, 1000 / state.fps - (performance.now() - began)));
  }
}

const press = (key) => act("/keys", { key });
const deeds = {
  " ": () => press("space"), backspace: () => press("delete"), x: () => press("clear"), s: speak, c: copy, q: finish,
};
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("select")) return;
  const key = event.key.toLowerCase();
  if (!Object.hasOwn(deeds, key) || ([" "].includes(key) && event.target.closest("button"))) return;
  event.preventDefault();
  if (!event.repeat || key === "backspace") deeds[key]();
});
for (const key of ["space", "delete", "clear"]) $(key).addEventListener("click", () => press(key));
$("speak").addEventListener("click", speak);
$("copy").addEventListener("click", copy);
$("finish").addEventListener("click", finish);
$("cameras").addEventListener("change", () => camera.open(state.camera, $("cameras").value));
document.addEventListener("click", (event) => event.detail > 0 && event.target.closest("button")?.blur());

history.replaceState(null, "", "/"); // the token has done its work once the cookie is set
await join();
if (state) {
  camera.open(state.camera);
  loop();
}
