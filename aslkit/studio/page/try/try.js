// The part Try: spelling with one or two runs, and exams. It sends frames one at a time.

import { ApiClient } from "../api_client.js";
import { CameraStage, stageTemplate } from "../camera_stage.js";
import { currentPerson } from "../current_person.js";
import { ExclusiveSession, pause } from "../exclusive_session.js";
import { html, nothing, render } from "../lit.js";
import { useShortcuts } from "../shortcuts.js";
import { state as shared } from "../store.js";
import { announce, clearToast, showError, toast } from "../toast.js";
import { drawnLetters, Exam } from "./exam.js";
import { showTopLetters } from "./top_letters.js";
import { storedWords, Words, wordsSwitch } from "./words.js";

const TEXTS = {
  elsewhere: "Spelling continues in another window",
  takeOver: "Continue here",
  unreachable: "Reconnecting… If aslkit has stopped, start it again.",
  refused: "This model cannot be used",
};
const PATH = "/api/reading";
const STARTER = "starter";
const COLOUR_LETTER = "#7ee2a8";
const COLOUR_NO_LETTER = "#ffc857";
const HINT = "What you spell appears here.";
const CHOICE_KEY = "aslkit-runs";

const $ = (id) => document.getElementById(id);

function proposedRuns() {
  const known = [...shared.runs.map((run) => run.run), STARTER, shared.settings.run];
  const stored = JSON.parse(sessionStorage.getItem(CHOICE_KEY) ?? "[]").filter((run) => known.includes(run));
  return stored.length ? stored : [shared.settings.run ?? shared.runs[0]?.run ?? STARTER];
}

const runTitle = (run) => (run === STARTER ? "starter (ships with aslkit)" : run);

class Spelling extends ExclusiveSession {
  #client = new ApiClient("try");
  #root;
  #exam;
  // The message about a cleared text would otherwise undo the correction.
  #words = new Words((key) => this.#press(key), clearToast);
  #runs = proposedRuns();
  #state = null; // last state received from the server; null before the first one
  #problem = null; // problem that is shown over the camera
  #texts = new Map(); // by run
  #stopShortcuts;

  constructor(root) {
    super(TEXTS);
    this.#root = root;
    this.#exam = new Exam(this.#client, () => this.#showChoices());
    this.#render();
    this.stage = new CameraStage({ onProblem: (problem) => this.#showProblem(problem) });
    this.#stopShortcuts = useShortcuts([
      { key: " ", label: "Space", run: () => this.#press("space") },
      { key: "backspace", label: "Delete the last letter", run: () => this.#press("delete"), repeats: true },
      { key: "enter", label: "Take the suggested word", run: () => this.#words.suggestion && this.#press("suggestion") },
      { key: "u", label: "Undo the correction, or put back the cleared text", run: () => this.#undo() },
      { key: "x", label: "Clear the text", run: () => this.#clear() },
      { key: "s", label: "Speak the text", run: () => this.#speak() },
      { key: "c", label: "Copy the text", run: () => this.#copy() },
    ]);
    this.join();
  }

  close() {
    this.stopped = true;
    this.#stopShortcuts();
    this.stage.stop();
  }

  update(names) {
    if (names.has("runs") || names.has("people")) this.#showChoices();
  }

  async requestJoin(takeOver) {
    this.#state = await this.#client.request("POST", PATH, { runs: this.#runs, take_over: takeOver, words: storedWords() });
    this.#client.setPage(this.#state.page);
    for (const { run, text } of this.#state.runs) this.#showText(run, text);
    this.#showHint(this.#state.runs[0].letters);
    this.#showChoices();
    return this.#state.camera;
  }

  async #chooseRun(index, run) {
    this.#runs[index] = run;
    this.#runs = [...new Set(this.#runs.filter(Boolean))];
    sessionStorage.setItem(CHOICE_KEY, JSON.stringify(this.#runs));
    this.#texts.clear();
    this.#exam.reset();
    this.#render();
    await this.join();
  }

  async loop() {
    while (!this.stopped) {
      if (!this.joined || !this.stage.live || document.hidden) {
        await pause(100);
        continue;
      }
      const startMs = performance.now();
      const frame = await this.stage.takeFrame();
      if (!frame) {
        await pause(4);
        continue;
      }
      try {
        const response = await this.#client.request("POST", `${PATH}/frames`, frame.jpeg);
        if (this.stopped) return;
        this.#exam.show(response.exam);
        this.#showReadings(response.readings);
        this.stage.problem("server", null);
      } catch (error) {
        await this.recover(error);
      }
      // At most one frame is on its way; the pause only limits the rate if the server is faster than needed.
      await pause(Math.max(0, 1000 / this.#state.fps - (performance.now() - startMs)));
    }
  }

  #showProblem(problem) {
    this.#problem = problem;
    if (problem && !this.stopped) {
      this.stage.hand(null);
      this.#runs.forEach((run, index) => this.#showReading(index, { letter: null, top_letters: [], progress: 0, landmarks: null }));
    }
  }

  #showReadings(readings) {
    const [first] = readings;
    this.stage.hand(first.landmarks, first.box, first.letter ? COLOUR_LETTER : COLOUR_NO_LETTER);
    readings.forEach((reading, index) => {
      this.#showReading(index, reading);
      this.#showText(reading.run, reading.text, reading.suggestion);
      if (this.#exam.running) this.#words.hide(index);
      else this.#words.show(index, reading);
    });
  }

  #showHint(letters) {
    const drawn = drawnLetters(letters).join(" and ");
    const element = $("text-0");
    if (element) element.dataset.hint = `${HINT}${drawn && ` Draw ${drawn} in the air; the letter is typed when the movement ends.`}`;
  }

  #showReading(index, { letter, top_letters: topLetters, progress, landmarks }) {
    const reading = $(`reading-${index}`);
    if (!reading) return;
    reading.querySelector(".letter b").textContent = letter ?? "";
    reading.querySelector(".letter span").textContent = letter ? `${Math.round(topLetters[0][1] * 100)} %` : "";
    const instruction = landmarks ? this.#exam.instruction ?? "No letter. Hold one still." : "No hand. Show one completely.";
    reading.querySelector(".status").textContent = this.#problem?.title ?? (letter ? "This is" : instruction);
    reading.querySelector(".hold").value = letter ? progress : 0;
    showTopLetters(reading.querySelector("ol"), topLetters);
  }

  /** Show the text. Screen readers announce only what was added: a letter, or the word that a space has ended. */
  #showText(run, text, suggestion = null) {
    const before = this.#texts.get(run) ?? "";
    if (this.stopped || before === text) return;
    this.#texts.set(run, text);
    const index = this.#runs.indexOf(run);
    const element = $(`text-${index}`);
    if (!element) return;
    element.textContent = text;
    element.parentElement.scrollTop = element.parentElement.scrollHeight;
    if (index > 0) return;
    const added = text.at(-1) === " " ? text.trim().split(" ").at(-1) : text.at(-1);
    const hint = suggestion && !this.#exam.running ? `, suggestion ${suggestion}` : "";
    announce(before.startsWith(text) ? text || "Cleared" : `${added}${hint}`);
  }

  async #press(key) {
    try {
      const { runs } = await this.#client.request("POST", `${PATH}/keys`, { key });
      for (const { run, text } of runs) this.#showText(run, text);
      this.#words.keyPressed(key);
    } catch (error) {
      this.recover(error);
    }
  }

  #undo() {
    clearToast(); // it offers the same, which would then undo something else
    return this.#press("undo");
  }

  async #clear() {
    if (!this.#text) return;
    await this.#press("clear");
    toast("Text cleared.", { label: "Undo", run: () => this.#press("undo"), only: true });
  }

  get #text() {
    return this.#texts.get(this.#runs[0]) ?? "";
  }

  #speak() {
    if (!this.#text.trim()) return;
    if (window.speechSynthesis) speechSynthesis.speak(new SpeechSynthesisUtterance(this.#text.toLowerCase()));
    else toast("This browser cannot speak.");
  }

  async #copy() {
    try {
      await navigator.clipboard.writeText(this.#text.trim());
      toast("Copied.");
    } catch {
      toast("The browser does not allow copying.");
    }
  }

  #render() {
    const reading = (run, index) => html`<section class="card reading" id="reading-${index}" aria-label="Letter read by ${run}">
      ${this.#runs.length > 1 ? html`<h2>${run}</h2>` : nothing}
      <p class="status secondary">Starting…</p>
      <p class="letter"><b></b> <span></span></p>
      <progress class="hold" aria-label="How long the letter has been held" max="1" value="0"></progress>
      <ol aria-label="The three most probable letters"></ol></section>`;
    const text = (run, index) => html`<div class="spelling"><div class="text" role="group" tabindex="0" aria-label="Spelled text">${this.#runs.length > 1 ? html`<small>${run}</small>` : nothing}<span id="text-${index}" class="spelled" data-hint=${HINT}></span><i aria-hidden="true"></i></div><div class="words" id="words-${index}" hidden></div></div>`;
    this.#root.replaceChildren();
    const content = this.#root.appendChild(document.createElement("div"));
    content.className = this.#runs.length > 1 ? "try-part two" : "try-part";
    const video = this.stage?.video;
    render(
      html`<h1 class="visually-hidden">Try</h1>
        <div class="choices-bar"></div>
        <section class="stage" aria-label="Camera">${stageTemplate(html`<p id="exam-prompt" hidden></p>`)}</section>
        <div class="readings">${this.#runs.map(reading)}</div>
        <section class="card text-panel" aria-label="Text">
          <div class="texts">${this.#runs.map(text)}</div>
          <div class="keys">
            <button type="button" @click=${() => this.#press("space")}>Space <kbd>Space</kbd></button>
            <button type="button" @click=${() => this.#press("delete")}>Delete <kbd>⌫</kbd></button>
            <button type="button" @click=${() => this.#clear()}>Clear <kbd>X</kbd></button>
            <button type="button" @click=${() => this.#speak()}>Speak <kbd>S</kbd></button>
            <button type="button" @click=${() => this.#copy()}>Copy <kbd>C</kbd></button>
          </div></section>
        <dialog id="exam-dialog" aria-labelledby="exam-title"></dialog>`,
      content,
    );
    if (video) {
      // The camera stays open when another run is chosen.
      $("video").replaceWith(video);
    }
    this.#showChoices();
  }

  #showChoices() {
    const bar = this.#root.querySelector(".choices-bar");
    if (!bar) return;
    const names = [...new Set([...shared.runs.map((run) => run.run), ...(shared.settings.run ? [shared.settings.run] : []), STARTER])];
    const option = (run, selected) => html`<option value=${run} ?selected=${run === selected}>${runTitle(run)}</option>`;
    const choose = (index) => (event) => this.#chooseRun(index, event.target.value);
    const [first, second] = this.#runs;
    render(
      html`<label><span>Model</span> <select id="run" @change=${choose(0)}>${names.map((run) => option(run, first))}</select></label>
        ${names.length > 1 ? html`<label><span>Compare with</span> <select id="second-run" @change=${choose(1)}><option value="" ?selected=${!second}>No other model</option>${names.filter((run) => run !== first).map((run) => option(run, second))}</select></label>` : nothing}
        ${this.#state ? wordsSwitch(this.#state.words, () => this.join()) : nothing}
        ${this.#exam.button(() => this.#openExam())}`,
      bar,
    );
    for (const row of this.#root.querySelectorAll(".words")) row.hidden = !this.#state?.words;
  }

  #openExam() {
    this.#exam.open($("exam-dialog"), { person: currentPerson(), letters: this.#state?.runs[0].letters ?? shared.settings.alphabet }).catch(showError);
  }
}

export const tryPart = {
  name: "try",
  title: "Try",
  status: () => "",

  open(root) {
    const view = new Spelling(root);
    return { update: (names) => view.update(names), close: () => view.close() };
  },
};
