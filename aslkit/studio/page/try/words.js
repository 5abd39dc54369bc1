// Words while spelling: the suggestion, the last correction with what was read, and the switch that turns both off.

import { html, nothing, render } from "../lit.js";
import { announce } from "../toast.js";

const STORAGE_KEY = "aslkit-words";
const NOTHING = { suggestion: null, correction: null };

/** Whether words are on in this browser; null as long as nobody has changed it, which means as in the settings. */
export const storedWords = () => ({ on: true, off: false })[localStorage.getItem(STORAGE_KEY)] ?? null;

export function wordsSwitch(on, onChange) {
  const change = (event) => {
    localStorage.setItem(STORAGE_KEY, event.target.checked ? "on" : "off");
    onChange();
  };
  return html`<label class="switch"><input id="correct-words" type="checkbox" .checked=${on} @change=${change}> Correct words</label>`;
}

const explain = ({ read, word }) => [`Read as ${read}`, `${word.startsWith(read) ? "completed" : "corrected"} to ${word}`];

/** Shows suggestion and correction of each run below its text. Only those of the first run have buttons. */
export class Words {
  #press;
  #onCorrected;
  #shown = []; // by index of the run
  #announced = "";

  /** @param onCorrected called when a word of the first run was corrected. */
  constructor(press, onCorrected) {
    this.#press = press;
    this.#onCorrected = onCorrected;
  }

  /** Show what the server reports with a frame, or nothing during an exam. */
  show(index, { suggestion, correction }) {
    this.#render(index, { suggestion, correction });
    if (index > 0) return;
    const text = correction ? explain(correction).join(", ") : "";
    if (text && text !== this.#announced) {
      announce(`${text}.`);
      this.#onCorrected();
    }
    this.#announced = text;
  }

  hide(index) {
    this.#render(index, NOTHING);
  }

  /** Remove what a key has ended, without waiting for the next frame. */
  keyPressed(key) {
    const ended = key === "undo" || key === "clear" || key === "suggestion";
    this.#shown.forEach(({ correction }, index) => this.#render(index, { suggestion: null, correction: ended ? null : correction }));
  }

  get suggestion() {
    return this.#shown[0]?.suggestion ?? null;
  }

  #render(index, values) {
    const row = document.getElementById(`words-${index}`);
    if (!row) return;
    this.#shown[index] = values;
    const { suggestion, correction } = values;
    const focused = row.contains(document.activeElement) && document.activeElement.dataset.key;
    const [read, became] = correction ? explain(correction) : [];
    const button = (key, text, keyName) => html`<button type="button" data-key=${key} @click=${() => this.#press(key)}>${text} <kbd>${keyName}</kbd></button>`;
    render(
      html`${suggestion && index === 0 ? button("suggestion", html`<span class="visually-hidden">Take the suggestion </span>${suggestion}`, "Enter") : nothing}
        ${correction ? html`<div class="correction"><p>${read}, <b>${became}</b>.</p>${index === 0 ? button("undo", "Undo", "U") : nothing}</div>` : nothing}`,
      row,
    );
    // A button that disappears must not take the keyboard's position with it.
    if (focused && !row.querySelector(`[data-key=${focused}]`)) row.closest(".texts").querySelector(".text").focus({ preventScroll: true });
  }
}
