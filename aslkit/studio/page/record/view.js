// Everything that the part Record shows and announces. It sends no requests.

import { announce } from "../toast.js";
import { framePath } from "./server.js";

const MOVEMENTS = {
  J: "Draw a J in the air with your little finger: down, then a hook.",
  Z: "Draw a Z in the air with your index finger: three strokes.",
  none: "A movement that is no letter. It teaches the model what not to read.",
};
const VERDICT_INTERVAL_MS = 350; // minimum time between two verdicts, to avoid flickering
export const $ = (id) => document.getElementById(id);

function make(tag, values = {}, ...children) {
  const element = Object.assign(document.createElement(tag), values);
  element.append(...children);
  return element;
}

export class View {
  #verdict = { state: "", text: "", at: 0 };
  #imageLetter = "";
  #recentFiles = "";

  state(state, handlers) {
    document.title = `${state.letter === "none" ? "No letter" : state.letter} – Record – aslkit studio`;
    const isClip = state.clip_letters.includes(state.letter);
    $("all-frames").href = `#review?signer=${encodeURIComponent(state.signer)}&letter=${state.letter}`;
    $("all-frames").hidden = isClip; // clips are not reviewed as frames
    $("movement").textContent = MOVEMENTS[state.letter] ?? "";
    $("movement").hidden = !isClip;
    $("recent-title").textContent = isClip ? "Recent clips" : "Recent frames";
    this.letter(state.letter, state.usual_hand);
    this.count(state.counts[state.letter], state);
    this.#letters(state, handlers.choose);
    this.recent(state.recent, handlers.remove);
    $("burst-text").textContent = `Record ${isClip ? +state.clip_s : +state.burst_s}\u00a0s`;
  }

  letter(letter, usualHand) {
    const isNone = letter === "none";
    $("letter-verb").textContent = isNone ? "Show" : "Sign";
    $("letter").textContent = isNone ? "no letter" : letter;
    $("letter").classList.toggle("words", isNone);
    $("letter-image").hidden = isNone;
    if (isNone) {
      this.#imageLetter = "";
      return;
    }
    const image = $("letter-image");
    // The camera image is mirrored, while this image shows a right hand as another person sees it.
    image.classList.toggle("mirrored", usualHand !== "left");
    if (letter === this.#imageLetter) return;
    this.#imageLetter = letter;
    image.src = `/letters/${letter}.png`;
    image.alt = `The hand shape of ${letter}${letter in MOVEMENTS ? " and its movement" : ""}`;
  }

  count(count, { goals, complete, letter, clip_letters: clipLetters }) {
    const goal = goals[letter];
    $("count-now").textContent = count.toLocaleString("en-GB");
    $("count-goal").textContent = `${goal.toLocaleString("en-GB")}${clipLetters.includes(letter) ? " clips" : ""}`;
    $("bar").value = Math.min(1, count / goal);
    $("bar").classList.toggle("complete", complete.includes(letter));
  }

  #letters(state, choose) {
    const list = $("letters");
    list.style.setProperty("--letters", state.alphabet.length);
    if (!list.children.length) {
      for (const letter of state.alphabet) {
        const button = make("button", { type: "button", id: `letter-${letter}` }, make("b", { textContent: letter }), make("span"));
        button.addEventListener("click", () => choose(letter));
        list.append(make("li", {}, button));
      }
    }
    for (const letter of state.alphabet) this.progress(letter, state.counts[letter], state);
  }

  /** Show the count of one letter in the letter strip. */
  progress(letter, count, state) {
    const button = $(`letter-${letter}`);
    const recorded = state.letters.includes(letter);
    const complete = state.complete.includes(letter);
    button.disabled = !recorded;
    button.lastChild.textContent = complete ? "✓" : count;
    button.classList.toggle("complete", complete);
    const goal = state.goals[letter];
    const unit = state.clip_letters.includes(letter) ? " clips" : "";
    button.style.setProperty("--share", Math.min(1, count / goal));
    const name = letter === "none" ? "No letter" : letter;
    button.setAttribute("aria-label", `${name}, ${count} of ${goal}${unit}${complete ? ", complete" : ""}`);
    if (letter === state.letter) button.setAttribute("aria-current", "true");
    else button.removeAttribute("aria-current");
  }

  recent(files, remove) {
    if (files.join() === this.#recentFiles) return;
    this.#recentFiles = files.join();
    const list = $("recent");
    // Existing thumbnails are moved instead of created again, which would load and flash them.
    const existing = new Map([...list.children].map((item) => [item.dataset.file, item]));
    list.replaceChildren(...files.map((file) => existing.get(file) ?? this.#thumbnail(file, remove)));
    $("recent-none").hidden = files.length > 0;
  }

  #thumbnail(file, remove) {
    const letter = file.split("/")[0];
    const kind = /\.\w+$/.test(file) ? "frame" : "clip"; // a clip is a folder
    const button = make("button", { type: "button", textContent: "×" });
    button.setAttribute("aria-label", `Delete ${kind} ${frameTime(file)} of ${letter}`);
    button.title = `Delete this ${kind}`;
    button.addEventListener("click", () => remove(file));
    const image = make("img", { src: framePath(file), alt: "", width: 160, height: 120, decoding: "async" });
    const item = make("li", { className: kind === "clip" ? "clip" : "" }, image, make("b", { textContent: letter }), button);
    item.dataset.file = file;
    return item;
  }

  /** Move the focus from a frame that will be deleted to the frame next to it. */
  moveFocusFrom(file) {
    const item = [...$("recent").children].find((child) => child.dataset.file === file);
    if (!item?.contains(document.activeElement)) return;
    const neighbour = item.nextElementSibling ?? item.previousElementSibling;
    (neighbour?.querySelector("button") ?? $("record")).focus();
  }

  /** Show the verdict about the current frame; `state` is "good", "bad", "rec" or "wait". */
  verdict(state, text) {
    const now = performance.now();
    const shown = this.#verdict;
    if (text === shown.text && state === shown.state) return;
    if (state === shown.state || state === "wait" || now - shown.at > VERDICT_INTERVAL_MS) {
      this.#verdict = { state, text, at: now };
      $("verdict").dataset.state = state;
      $("verdict-text").textContent = text;
      announce(text);
    }
  }

  hint(text) {
    if ($("hint").textContent === (text ?? "")) return;
    $("hint").textContent = text ?? "";
    $("hint").hidden = !text;
    if (text) announce(text);
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
    if (seconds) announce(String(seconds));
  }

  /** Ask whether the signer really uses the other hand. Returns null if the dialog was closed with Escape. */
  question(side) {
    const usual = side === "left" ? "right" : "left";
    $("question-title").textContent = `Is this your ${side} hand?`;
    $("question-text").textContent = `So far you have signed with your ${usual} hand. Nothing is recorded until you answer.`;
    $("question-yes").textContent = `Yes, my ${side} hand`;
    $("question-no").textContent = `No, my ${usual} hand`;
    return showChoice($("question"), $("question-yes"), $("question-no"));
  }

  /** Ask who may use the images, until the signer answers. Returns the licence. */
  async licence({ title, note, choices }) {
    $("licence-title").textContent = title;
    $("licence-note").textContent = note;
    const buttons = choices.map((choice) =>
      make("button", { type: "button", value: choice.licence }, make("b", { textContent: choice.title }), make("span", { textContent: choice.permits })),
    );
    $("licence-choices").replaceChildren(...buttons.map((button) => make("li", {}, button)));
    for (;;) {
      const licence = await chooseButton($("licence"), buttons);
      if (licence !== null) return licence;
    }
  }
}

async function showChoice(dialog, yes, no) {
  [yes.value, no.value] = ["yes", "no"];
  const answer = await chooseButton(dialog, [yes, no]);
  return answer && answer === "yes";
}

/** Show a dialog. Returns the value of the button that was pressed, or null if the dialog was closed with Escape. */
function chooseButton(dialog, buttons) {
  if (!dialog.open) dialog.showModal();
  return new Promise((resolve) => {
    for (const button of buttons) {
      button.onclick = () => {
        resolve(button.value);
        dialog.close();
      };
    }
    dialog.onclose = () => resolve(null); // not oncancel: then the dialog is still open
  });
}

// Names such as 20260102T030405006Z become a local time; other names are returned without changes.
function frameTime(file) {
  const name = file.split("/")[1].replace(/\.\w+$/, "");
  const parts = name.match(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)(\d{3})Z(.*)$/);
  if (!parts) return name;
  const [, year, month, day, hours, minutes, seconds, ms, rest] = parts;
  const time = new Date(Date.UTC(year, month - 1, day, hours, minutes, seconds));
  return `${time.toLocaleTimeString("en-GB")}.${ms}${rest}`;
}
