// What is seen and said. Nothing here speaks to the server.

import { drawHand } from "./hand.js";
import { Notice } from "./notice.js";
import { framePath } from "./server.js";

const SAY_MS = 1000; // a screen reader hears a new reason no more often
const STEADY_MS = 350; // and nobody sees one change faster
export const $ = (id) => document.getElementById(id);

function make(name, values = {}, ...inside) {
  const element = Object.assign(document.createElement(name), values);
  element.append(...inside);
  return element;
}

export class View {
  #notice = new Notice();
  #saying = { text: "", timer: 0, at: 0 };
  #shown = { state: "", text: "", at: 0 };
  #pictured = "";
  #recent = "";

  state(state, on) {
    document.title = `${state.letter} – aslkit recorder`;
    $("who").textContent = `${state.signer} · ${state.session}`;
    this.letter(state.letter, state.usual_hand);
    this.count(state.counts[state.letter], state);
    this.#letters(state, on.choose);
    this.recent(state.recent, on.remove);
    $("burst-text").textContent = `Record ${+state.burst_s}\u00a0s`;
  }

  letter(letter, usualHand) {
    $("letter").textContent = letter;
    const picture = $("letter-picture");
    // The camera is shown as a mirror; the picture shows a right hand as the other person sees it.
    picture.classList.toggle("mirrored", usualHand !== "left");
    if (letter === this.#pictured) return;
    this.#pictured = letter;
    picture.src = `/letters/${letter}.png`;
    picture.alt = `The hand shape of ${letter}`;
  }

  count(count, { goal, complete, letter }) {
    $("count-now").textContent = count.toLocaleString("en-GB");
    $("count-goal").textContent = goal.toLocaleString("en-GB");
    $("bar").value = Math.min(1, count / goal);
    $("bar").classList.toggle("complete", complete.includes(letter));
  }

  #letters(state, choose) {
    const list = $("letters");
    if (!list.children.length) {
      for (const letter of state.alphabet) {
        const button = make("button", { type: "button", id: `letter-${letter}` }, make("b", { textContent: letter }), make("span"));
        button.addEventListener("click", () => choose(letter));
        list.append(make("li", {}, button));
      }
    }
    for (const letter of state.alphabet) this.progress(letter, state.counts[letter], state);
  }

  /** One letter's part in the strip of all. */
  progress(letter, count, state) {
    const button = $(`letter-${letter}`);
    const walked = state.letters.includes(letter);
    const complete = state.complete.includes(letter);
    button.disabled = !walked;
    button.lastChild.textContent = complete ? "✓" : count;
    button.classList.toggle("complete", complete);
    button.style.setProperty("--share", Math.min(1, count / state.goal));
    button.setAttribute("aria-label", `${letter}, ${count} of ${state.goal}${complete ? ", complete" : ""}`);
    if (letter === state.letter) button.setAttribute("aria-current", "true");
    else button.removeAttribute("aria-current");
  }

  recent(files, remove) {
    if (files.join() === this.#recent) return;
    this.#recent = files.join();
    const list = $("recent");
    const there = new Map([...list.children].map((item) => [item.dataset.file, item]));
    list.replaceChildren(...files.map((file) => there.get(file) ?? this.#thumbnail(file, remove)));
    $("recent-none").hidden = files.length > 0;
  }

  #thumbnail(file, remove) {
    const letter = file.split("/")[0];
    const button = make("button", { type: "button", textContent: "×" });
    button.setAttribute("aria-label", `Delete frame ${timeOf(file)} of ${letter}`);
    button.title = "Delete this frame";
    button.addEventListener("click", () => remove(file));
    const image = make("img", { src: framePath(file), alt: "", width: 160, height: 120, decoding: "async" });
    const item = make("li", {}, image, make("b", { textContent: letter }), button);
    item.dataset.file = file;
    return item;
  }

  /** Move the focus of a frame that goes to its neighbour. */
  leave(file) {
    const item = [...$("recent").children].find((each) => each.dataset.file === file);
    if (!item?.contains(document.activeElement)) return;
    const beside = item.nextElementSibling ?? item.previousElementSibling;
    (beside?.querySelector("button") ?? $("record")).focus();
  }

  /** state: "good", "bad", "rec" or "wait". A change is held back a little, so that nothing flickers. */
  verdict(state, text) {
    const now = performance.now();
    const shown = this.#shown;
    if (text === shown.text && state === shown.state) return;
    if (state === shown.state || state === "wait" || now - shown.at > STEADY_MS) {
      this.#shown = { state, text, at: now };
      $("verdict").dataset.state = state;
      $("verdict-text").textContent = text;
      this.say(text);
    }
  }

  /** For screen readers: the latest words only, a second apart. */
  say(text) {
    const saying = this.#saying;
    saying.text = text;
    if (saying.timer) return;
    const wait = Math.max(0, saying.at + SAY_MS - performance.now());
    saying.timer = setTimeout(() => {
      saying.timer = 0;
      saying.at = performance.now();
      if ($("said").textContent !== saying.text) $("said").textContent = saying.text;
    }, wait);
  }

  nudge(text) {
    if ($("nudge").textContent === (text ?? "")) return;
    $("nudge").textContent = text ?? "";
    $("nudge").hidden = !text;
    if (text) this.say(text);
  }

  recording(on, active) {
    $("record").setAttribute("aria-pressed", String(on));
    $("record-text").textContent = on ? "Recording" : "Hold to record";
    $("rec").hidden = !active;
    document.body.classList.toggle("recording", active);
  }

  countdown(seconds) {
    $("countdown").hidden = !seconds;
    $("countdown").textContent = seconds || "";
    if (seconds) this.say(String(seconds));
  }

  /** Show what hinders, or with null, that `kind` hinders no more. */
  trouble(kind, trouble) {
    const first = this.#notice.set(kind, trouble);
    if (first) this.verdict("wait", first.title);
  }

  cameras(cameras, chosen) {
    $("camera-choice").hidden = cameras.length < 2;
    $("cameras").replaceChildren(
      ...cameras.map((camera, index) => new Option(camera.label || `Camera ${index + 1}`, camera.deviceId, false, camera.deviceId === chosen)),
    );
  }

  /** Draw what was seen: 21 joints and their box, as shares of the picture; null where there is no hand. */
  hand(landmarks, box, state) {
    drawHand($("overlay"), landmarks, box, { good: "#7ee2a8", rec: "#ffffff", bad: "#ffc857" }[state] ?? "#ffffff");
  }

  /** Ask about the other hand, and return whether it is so. Escape leaves the question for the next frame. */
  question(seen) {
    const usual = seen === "left" ? "right" : "left";
    $("question-title").textContent = `Is this your ${seen} hand?`;
    $("question-text").textContent = `So far you signed with the ${usual} one. Nothing is recorded until you answer.`;
    $("question-yes").textContent = `Yes, my ${seen} hand`;
    $("question-no").textContent = `No, my ${usual} hand`;
    return choice($("question"), $("question-yes"), $("question-no"));
  }

  confirmFinish() {
    return choice($("confirm"), $("confirm-yes"), $("confirm-no"));
  }

  balance(values) {
    const number = Object.values(values.stored).reduce((sum, each) => sum + each, 0);
    $("balance-title").textContent = `Finished: ${number.toLocaleString("en-GB")} ${number === 1 ? "frame" : "frames"} stored`;
    $("balance-failure").hidden = !values.failure;
    $("balance-failure").textContent = values.failure ?? "";
    $("balance-letters").replaceChildren(
      ...Object.entries(values.stored).map(([letter, count]) => make("li", {}, make("b", { textContent: letter }), ` ${count}`)),
    );
    const rows = Object.entries(values.refused).map(([why, count]) => [`Refused: ${why.toLowerCase()}`, count]);
    if (values.undone) rows.push(["Taken away again", values.undone]);
    if (values.late) rows.push(["Lost, the disk being too slow", values.late]);
    $("balance-refused").replaceChildren(...rows.flatMap(([what, count]) => [make("dt", { textContent: what }), make("dd", { textContent: count })]));
    document.querySelector("main").hidden = true;
    document.querySelector("header").classList.add("over");
    $("balance").hidden = false;
    $("balance").focus();
  }
}

function choice(dialog, yes, no) {
  if (!dialog.open) dialog.showModal();
  return new Promise((done) => {
    const end = (answer) => {
      dialog.close();
      done(answer);
    };
    yes.onclick = () => end(true);
    no.onclick = () => end(false);
    dialog.oncancel = () => done(null);
  });
}

// 20260102T030405006Z is a moment in UTC; other names are told as they are.
function timeOf(file) {
  const name = file.split("/")[1].replace(/\.\w+$/, "");
  const parts = name.match(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)(\d{3})Z(.*)$/);
  if (!parts) return name;
  const [, year, month, day, hours, minutes, seconds, ms, rest] = parts;
  const at = new Date(Date.UTC(year, month - 1, day, hours, minutes, seconds));
  return `${at.toLocaleTimeString("en-GB")}.${ms}${rest}`;
}
