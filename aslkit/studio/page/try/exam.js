// An exam: the page prompts for letters in random order, and shows how many were read correctly.

import { percent, plural } from "../format.js";
import { html, nothing, render } from "../lit.js";
import { announce, showError, toast } from "../toast.js";

const PATH = "/api/reading/exam";

const DRAWN = ["J", "Z"];

/** Which of the letters are signed with a movement. */
export const drawnLetters = (letters) => letters.filter((letter) => DRAWN.includes(letter));

const $ = (id) => document.getElementById(id);

function promptText({ phase, letter, number, prompts, remaining_s: left }) {
  const drawn = DRAWN.includes(letter);
  if (phase === "ready") return [`Get ready ${drawn ? "to draw" : "for"} ${letter}`, `${number} of ${prompts} · ${Math.ceil(left)} s`];
  if (phase === "sign") return [`${drawn ? "Draw" : "Sign"} ${letter} now`, `${number} of ${prompts} · ${Math.ceil(left)} s`];
  return ["Rest. Move your hands as you like, but sign no letter.", `${Math.ceil(left)} s`];
}

export class Exam {
  #client;
  #onChange;
  #running = false;
  #ending = false;
  #letter = null; // prompted letter
  #shown = "";

  /** @param onChange called when an exam has started or ended. */
  constructor(client, onChange) {
    this.#client = client;
    this.#onChange = onChange;
  }

  reset() {
    this.#running = false;
    this.#letter = null;
    this.#shown = "";
  }

  get running() {
    return this.#running;
  }

  /** What to do with a hand that shows no letter; null for the usual. */
  get instruction() {
    return this.#running && DRAWN.includes(this.#letter) ? `Draw ${this.#letter} in the air.` : null;
  }

  button(open) {
    return this.#running
      ? html`<button type="button" @click=${() => this.#finish()}>End the exam</button>`
      : html`<button type="button" id="start-exam" @click=${open}>Start an exam</button>`;
  }

  /** Ask who signs and which letters, and start. */
  async open(dialog, { person, letters: recognised }) {
    const drawn = drawnLetters(recognised).join(" and ");
    const start = async (event) => {
      event.preventDefault();
      const values = new FormData(event.target);
      const letters = [...values.get("letters").toUpperCase()].filter((letter) => /[A-Z]/.test(letter));
      const body = { signer: values.get("signer").trim(), letters: [...new Set(letters)], times: Number(values.get("times")), seed: Math.floor(Math.random() * 1e6) };
      try {
        const { left_out: leftOut } = await this.#client.request("POST", PATH, body);
        this.#running = true;
        dialog.close();
        if (leftOut.length) toast(`Left out, because the model does not recognise them: ${leftOut.join(", ")}`);
        this.#onChange();
      } catch (error) {
        if (error.status === 422) dialog.querySelector(".form-error").textContent = error.message;
        else showError(error);
      }
    };
    render(
      html`<form method="dialog" @submit=${start}>
        <h2 id="exam-title">Exam</h2>
        <p class="secondary">The page shows letters in random order, three seconds each.${drawn && ` Draw ${drawn} in the air.`} The frames are kept as evidence, and never used for training.</p>
        <label class="field"><b>Who signs?</b><input name="signer" required maxlength="64" .value=${person} autocomplete="off"></label>
        <label class="field"><b>Letters</b><input name="letters" required .value=${recognised.join("")} autocomplete="off"></label>
        <label class="field"><b>How often each</b><input name="times" type="number" min="1" max="20" .value=${"1"}></label>
        <p class="form-error" role="alert"></p>
        <div class="choices"><button type="submit">Start</button><button type="button" @click=${() => dialog.close()}>Cancel</button></div></form>`,
      dialog,
    );
    dialog.showModal();
  }

  /** Show the prompt of an exam as the server reports it with each frame; null without an exam. */
  show(exam) {
    const prompt = $("exam-prompt");
    if (!prompt) return;
    this.#running = exam !== null && !this.#ending;
    prompt.hidden = !this.#running || exam.phase === "done";
    if (!exam) return;
    if (exam.phase === "done") return this.#finish();
    this.#letter = exam.phase === "sign" ? exam.letter : null;
    const [text, detail] = promptText(exam);
    render(html`<b>${text}</b><span>${detail}</span>`, prompt);
    prompt.dataset.phase = exam.phase;
    if (text !== this.#shown) announce(text);
    this.#shown = text;
  }

  async #finish() {
    if (this.#ending) return;
    this.#ending = true;
    try {
      this.#showResult(await this.#client.request("DELETE", PATH));
    } catch (error) {
      showError(error);
    }
    this.#ending = false;
    this.reset();
    this.#onChange();
  }

  #showResult(result) {
    const dialog = $("exam-dialog");
    const wrong = result.letters.filter((row) => row.right < row.asked);
    render(
      html`<h2 id="exam-title">Result</h2>
        <p class="figure"><b>${percent(result.accuracy)}</b> <span>of ${plural(result.asked, "prompt")}</span></p>
        ${result.known ? html`<p class="problem">The model was trained on ${result.signer}, so this is optimistic.</p>` : nothing}
        ${result.false_letters === null ? nothing : html`<p>${plural(result.false_letters, "false letter")} in ${result.rest_s} s of rest</p>`}
        ${wrong.length ? html`<p>Not read: ${wrong.map((row) => `${row.letter}${row.taken_for.length ? ` (as ${row.taken_for.join(", ")})` : ""}`).join(", ")}</p>` : html`<p>Every letter was read.</p>`}
        <div class="choices"><a class="button" href=${result.report} target="_blank" rel="noopener">Report with images</a><button type="button" @click=${() => dialog.close()}>Close</button></div>`,
      dialog,
    );
    dialog.showModal();
  }
}
