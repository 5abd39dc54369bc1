// The part Review: what is doubtful about the frames, and what to do with them.

import { formatCount, plural } from "../format.js";
import { isRunning, jobText } from "../job.js";
import { html, nothing, render } from "../lit.js";
import { runShortcut, useShortcuts } from "../shortcuts.js";
import { state } from "../store.js";
import { announce, showError, toast } from "../toast.js";
import { Frames, imagePath, reasonTitle } from "./frames.js";
import { VirtualGrid } from "./virtual_grid.js";

const DONE = { keep: "Kept", drop: "Dropped", relabel: "Moved", reset: "Reset" };

/** What is shown on a frame: its decision, or why it is doubtful. */
function badge(frame) {
  const { decision } = frame;
  if (decision) return decision.action === "relabel" ? `→ ${decision.letter}` : DONE[decision.action];
  const [reason] = frame.reasons;
  if (!reason) return "";
  return frame.suggested && ["label-doubt", "mistake"].includes(reason) ? `${frame.suggested}?` : reasonTitle(reason);
}

function createCell() {
  const cell = document.createElement("div");
  cell.className = "cell";
  const image = Object.assign(document.createElement("img"), { alt: "", decoding: "async", draggable: false });
  image.addEventListener("load", () => cell.classList.add("loaded"));
  cell.append(image, document.createElement("b"), document.createElement("span"), document.createElement("i"));
  return cell;
}

function fillCell(cell, frame, fast) {
  const [image, letter, text, mark] = cell.children;
  if (image.dataset.key !== frame.key) {
    cell.classList.remove("loaded"); // hides the image of another frame, which stays until the new one is loaded
    image.dataset.key = fast ? "" : frame.key;
    if (fast) image.removeAttribute("src");
    else image.src = frame.image;
  }
  letter.textContent = frame.letter;
  text.textContent = badge(frame);
  mark.textContent = frame.signer;
  cell.dataset.decision = frame.decision?.action ?? (frame.rejected ? "rejected" : "");
}

const letterTitle = (letter) => (letter === "none" ? "No letter" : letter);

function describe(frame) {
  const reasons = frame.reasons.map((reason, index) => `${reasonTitle(reason)}: ${frame.details[index]}`).join("; ");
  return `${frame.letter} of ${frame.signer}. ${frame.decision ? `${badge(frame)}. ` : ""}${reasons || "Nothing doubtful"}`;
}

class Review {
  #frames = new Frames();
  #filter;
  #grid;
  #root;
  #bar;
  #stopShortcuts;
  #changedNs = 0;
  #queue = Promise.resolve(); // decisions are stored one after the other
  #open = -1; // index of the frame that is shown large

  constructor(root) {
    this.#root = root;
    const query = new URLSearchParams(location.hash.split("?")[1] ?? "");
    this.#filter = { what: query.has("signer") ? "all" : "doubtful", signer: query.get("signer") ?? "", letter: query.get("letter") ?? "" };
    render(
      html`<h1 class="visually-hidden">Review</h1>
        <div class="review-tools"></div>
        <div class="grid-scroller"></div>
        <div class="review-bar"></div>
        <dialog id="frame-dialog" tabindex="-1" aria-label="Frame"></dialog>`,
      root,
    );
    this.#bar = root.querySelector(".review-bar");
    this.#grid = new VirtualGrid(
      root.querySelector(".grid-scroller"),
      { create: createCell, fill: fillCell, key: (frame) => frame.key, label: describe, onSelect: () => this.#showBar(), onOpen: (index) => this.#enlarge(index) },
      { minWidth: 132, textHeight: 26, label: "Frames" },
    );
    const decide = (action) => () => this.#decide(action);
    this.#stopShortcuts = useShortcuts([
      { key: "k", label: "Keep the selected frames", run: decide("keep") },
      { key: "d", label: "Drop them", run: decide("drop") },
      { key: "r", label: "Move them to another letter: press R, then the letter", run: () => this.#root.querySelector("#relabel").focus() },
      { key: "enter", label: "Enlarge the frame; then the arrow keys show the next one" }, // see VirtualGrid
      { key: "z", label: "Forget the decision about them", run: decide("reset") },
      { key: "u", label: "Undo the last decision", run: () => this.#undo() },
    ]);
    this.#root.querySelector("dialog").addEventListener("keydown", (event) => this.#dialogKeyDown(event));
    this.#load({ top: true });
  }

  close() {
    this.#stopShortcuts();
    this.#grid.close();
  }

  async update(names) {
    const ended = names.has("job") && state.job?.state !== "running"; // perhaps after the curation
    if (ended || names.has("runs")) return this.#load({});
    if (names.has("job")) this.#showTools();
    if (!names.has("review") || state.review.changed_ns === this.#changedNs) return;
    this.#changedNs = state.review.changed_ns;
    // Most events are about decisions of this window, which it shows already.
    const changed = await this.#enqueue(() => this.#frames.reloadDecisions().catch(showError));
    if (changed) this.#show({});
  }

  async #load({ top }) {
    try {
      await this.#frames.load();
    } catch (error) {
      return showError(error);
    }
    this.#changedNs = state.review.changed_ns;
    // Nothing is doubtful before the first curation: then all frames are shown.
    if (this.#filter.what === "doubtful" && !this.#frames.all.some((frame) => frame.found.length && !frame.decision)) this.#filter.what = "all";
    this.#show({ top });
  }

  #show({ top = false, next = null }) {
    const active = this.#frames.shown[this.#grid.active];
    this.#frames.filter(this.#filter);
    // The next frame, or the one that was active, keeps the focus, wherever it is now.
    const { key } = next ?? active ?? {};
    const index = this.#frames.shown.findIndex((frame) => frame.key === key);
    this.#grid.show(this.#frames.shown, index < 0 ? { top } : { top, active: index });
    this.#showTools();
  }

  #setFilter(name) {
    return (event) => {
      this.#filter[name] = event.target.value;
      this.#show({ top: true });
      announce(`${plural(this.#frames.shown.length, "frame")} shown.`);
    };
  }

  #showTools() {
    const { what, signer, letter } = this.#filter;
    const option = (value, title, selected) => html`<option value=${value} ?selected=${value === selected}>${title}</option>`;
    const undecided = this.#frames.all.filter((frame) => frame.found.length && !frame.decision).length;
    const decided = this.#frames.all.filter((frame) => frame.decision).length;
    render(
      html`<label><span>Show</span> <select id="what" @change=${this.#setFilter("what")}>
          ${option("doubtful", `Doubtful, undecided (${formatCount(undecided)})`, what)}
          ${option("all", `All frames (${formatCount(this.#frames.all.length)})`, what)}
          ${option("decided", `Decided (${formatCount(decided)})`, what)}
          <optgroup label="Found by curation and the newest model">${this.#frames.countReasons().map(([reason, count]) => option(reason, `${reasonTitle(reason)} (${formatCount(count)})`, what))}</optgroup>
        </select></label>
        <label><span>Person</span> <select id="person" @change=${this.#setFilter("signer")}>${option("", "Everybody", signer)}${this.#frames.signers.map((name) => option(name, name, signer))}</select></label>
        <label><span>Letter</span> <select id="letter-filter" @change=${this.#setFilter("letter")}>${option("", "All letters", letter)}${[...state.settings.alphabet, "none"].map((name) => option(name, letterTitle(name), letter))}</select></label>
        <p class="secondary" id="shown-count">${plural(this.#frames.shown.length, "frame")}</p>
        <p class="secondary applied">${decided ? "Decisions are applied when you train." : "Training checks the frames as well."}</p>
        ${isRunning() ? html`<p class="secondary" role="status">${jobText()}</p>` : html`<button type="button" id="check-frames" ?disabled=${!this.#frames.all.length} @click=${() => this.#check()}>Check the frames</button>`}`,
      this.#root.querySelector(".review-tools"),
    );
    const empty = this.#frames.shown.length
      ? ""
      : this.#frames.all.length ? "No frames match. Choose another filter." : (state.guidance.needs.review ?? "No frames yet.");
    this.#root.querySelector(".grid-scroller").dataset.empty = empty;
  }

  /** Curate all recordings, which finds doubtful frames. */
  async #check() {
    try {
      await this.#frames.check();
      this.#filter.what = "doubtful"; // what it will find
    } catch (error) {
      showError(error);
    }
  }

  #showBar() {
    const count = this.#grid.selectedCount;
    const none = !this.#frames.shown.length;
    const decide = (action) => () => this.#decide(action);
    render(
      html`<p>${count ? `${plural(count, "frame")} selected` : html`Select frames<span class="keyboard-only">, or use the arrow keys</span>`}</p>
        <div class="row decisions">
          <button type="button" id="keep" ?disabled=${none} aria-keyshortcuts="k" @click=${decide("keep")}>Keep <kbd>K</kbd></button>
          <button type="button" id="drop" ?disabled=${none} aria-keyshortcuts="d" @click=${decide("drop")}>Drop <kbd>D</kbd></button>
          ${this.#relabelTemplate("relabel", { disabled: none, move: (letter) => this.#decide("relabel", letter), leave: () => this.#grid.focus() })}
          <button type="button" id="reset" ?disabled=${none} aria-keyshortcuts="z" @click=${decide("reset")}>Reset <kbd>Z</kbd></button>
          <button type="button" id="undo-decision" aria-keyshortcuts="u" @click=${() => this.#undo()}>Undo <kbd>U</kbd></button>
        </div>
        <div class="row">
          <button type="button" class="quiet" id="enlarge" ?disabled=${none} @click=${() => this.#enlarge(this.#grid.active)}>Enlarge <kbd>Enter</kbd></button>
          ${count ? html`<button type="button" class="quiet" @click=${() => this.#grid.clearSelection()}>Clear selection</button>` : html`<button type="button" class="quiet" ?disabled=${none} @click=${() => this.#grid.selectAll()}>Select all</button>`}
        </div>`,
      this.#bar,
    );
  }

  /** A choice of letters. On it, a letter key moves at once; with the arrow keys, the choice is applied by Enter. */
  #relabelTemplate(id, { disabled = false, move, leave }) {
    const letters = [...state.settings.alphabet, "none"];
    let byKey = false;
    const apply = (select, letter = select.value) => {
      select.value = "";
      leave();
      if (letter) move(letter);
    };
    const keyDown = (event) => {
      byKey = true;
      const letter = event.key.toUpperCase();
      const modified = event.ctrlKey || event.metaKey || event.altKey;
      if (!modified && letters.includes(letter)) apply(event.target, letter);
      else if (event.key === "Escape") apply(event.target, "");
      else if (event.key === "Enter" && event.target.value) apply(event.target);
      else return;
      event.preventDefault();
      event.stopPropagation();
    };
    return html`<label class="relabel"><span class="visually-hidden">Move to letter</span><select id=${id} ?disabled=${disabled} aria-keyshortcuts="r"
      @focus=${() => { byKey = false; }} @pointerdown=${() => { byKey = false; }} @keydown=${keyDown} @change=${(event) => byKey || apply(event.target)}>
      <option value="">Move to…</option>${letters.map((letter) => html`<option value=${letter}>${letterTitle(letter)}</option>`)}</select></label>`;
  }

  /** Decide about frames; without `frames`, about those that are selected when all earlier decisions are stored. */
  #decide(action, letter = null, frames = null) {
    return this.#enqueue(() => this.#decideNow(action, letter, frames ?? this.#selection));
  }

  #undo(batch = null) {
    return this.#enqueue(() => this.#undoNow(batch));
  }

  #enqueue(task) {
    this.#queue = this.#queue.then(task);
    return this.#queue;
  }

  get #selection() {
    return this.#open >= 0 ? [this.#frames.shown[this.#open]].filter(Boolean) : this.#grid.selection;
  }

  async #decideNow(action, letter, frames) {
    if (!frames.length) return;
    let batch;
    const next = this.#frames.shown[this.#frames.shown.indexOf(frames.at(-1)) + 1];
    try {
      batch = await this.#frames.decide(frames, action, letter);
    } catch (error) {
      return showError(error);
    }
    const done = letter === "none" ? "Marked as no letter" : letter ? `Moved to ${letter}` : DONE[action];
    const text = `${done}: ${plural(frames.length, "frame")}.`;
    this.#grid.clearSelection();
    this.#show({ next: action === "reset" ? null : next });
    if (this.#open >= 0) {
      announce(text);
      this.#enlarge(this.#grid.active);
    } else {
      toast(text, { label: "Undo", run: () => this.#undo(batch) });
      this.#grid.focus();
    }
  }

  async #undoNow(batch) {
    try {
      const { count, frames } = await this.#frames.undo(batch);
      const text = count ? `Undone: ${plural(count, "frame")}.` : "Nothing to undo.";
      if (this.#open >= 0) announce(text);
      else toast(text);
      this.#show({ next: frames[0] });
    } catch (error) {
      return showError(error);
    }
    if (this.#open >= 0) this.#enlarge(this.#grid.active);
    else this.#grid.focus();
  }

  /** Show a frame large, with what was found about it. */
  #enlarge(index) {
    const frame = this.#frames.shown[index];
    const dialog = this.#root.querySelector("#frame-dialog");
    if (!frame) {
      this.#open = -1;
      return dialog.close();
    }
    this.#open = index;
    const original = frame.original && this.#frames.get(frame.original);
    const decide = (action, letter) => () => this.#decide(action, letter, [frame]);
    const turn = (by) => () => this.#turn(by);
    dialog.ariaLabel = `Frame: ${frame.letter} of ${frame.signer}`;
    render(
      html`<div class="large">
          <figure><img src="${frame.image}?full=true" alt="${frame.letter} of ${frame.signer}"><figcaption>${frame.letter} of ${frame.signer}, ${frame.session}</figcaption></figure>
          ${frame.original ? html`<figure><img src="${original?.image ?? imagePath(frame.original)}?full=true" alt="The original"><figcaption>Original: ${frame.original}</figcaption></figure>` : nothing}
        </div>
        <ul class="reasons">${frame.reasons.map((reason, at) => html`<li><b>${reasonTitle(reason)}</b> ${frame.details[at]}</li>`)}
          ${frame.decision ? html`<li><b>Decision</b> ${badge(frame)}</li>` : nothing}</ul>
        <div class="row decisions">
          <button type="button" aria-keyshortcuts="k" @click=${decide("keep")}>Keep <kbd>K</kbd></button>
          <button type="button" aria-keyshortcuts="d" @click=${decide("drop")}>Drop <kbd>D</kbd></button>
          ${frame.suggested ? html`<button type="button" @click=${decide("relabel", frame.suggested)}>Move to ${frame.suggested}</button>` : nothing}
          ${this.#relabelTemplate("relabel-large", { move: (letter) => this.#decide("relabel", letter, [frame]), leave: () => dialog.focus() })}
          <button type="button" aria-keyshortcuts="u" @click=${() => this.#undo()}>Undo <kbd>U</kbd></button>
          <button type="button" class="quiet" aria-disabled=${index === 0} @click=${turn(-1)}>Previous <kbd>←</kbd></button>
          <button type="button" class="quiet" aria-disabled=${index >= this.#frames.shown.length - 1} @click=${turn(1)}>Next <kbd>→</kbd></button>
          <button type="button" class="quiet" @click=${() => dialog.close()}>Close</button>
        </div>`,
      dialog,
    );
    dialog.onclose = () => {
      this.#open = -1;
      this.#grid.focus();
    };
    if (!dialog.open) dialog.showModal();
  }

  #turn(by) {
    const index = Math.max(0, Math.min(this.#open + by, this.#frames.shown.length - 1));
    if (index === this.#open) return;
    this.#grid.move(index);
    this.#enlarge(index);
    announce(describe(this.#frames.shown[index]));
  }

  #dialogKeyDown(event) {
    const decide = (action) => () => this.#decide(action);
    runShortcut(event, [
      { key: "arrowleft", run: () => this.#turn(-1), repeats: true },
      { key: "arrowright", run: () => this.#turn(1), repeats: true },
      { key: "k", run: decide("keep") },
      { key: "d", run: decide("drop") },
      { key: "z", run: decide("reset") },
      { key: "r", run: () => this.#root.querySelector("#relabel-large").focus() },
      { key: "u", run: () => this.#undo() },
    ]);
  }
}

export const review = {
  name: "review",
  title: "Review",
  status: () => (state.review.doubtful ? formatCount(state.review.doubtful) : ""),

  open(root) {
    const view = new Review(root);
    return { update: (names) => view.update(names), close: () => view.close() };
  },
};
