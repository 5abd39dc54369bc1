// The part Record. It sends frames one at a time, each after the response to the previous one.

import { CameraStage } from "../camera_stage.js";
import { choosePerson, currentPerson } from "../current_person.js";
import { ExclusiveSession, pause } from "../exclusive_session.js";
import { plural } from "../format.js";
import { html, render } from "../lit.js";
import { state as shared } from "../store.js";
import { announce, clearToast, toast } from "../toast.js";
import { Clip } from "./clip.js";
import { listen } from "./controls.js";
import { finishedTemplate, recordTemplate } from "./markup.js";
import { Preview } from "./preview.js";
import { Recording } from "./recording.js";
import { Server } from "./server.js";
import { $, View } from "./view.js";

const THUMBNAIL_DELAY_MS = 400;
const SIMILAR_WARNING_MS = 1200;
const RECENT_FRAMES = 12;
const TEXTS = {
  elsewhere: "Recording continues in another window",
  takeOver: "Record here",
  unreachable: "Stored frames are safe. Reconnecting… If aslkit has stopped, start it again.",
  refused: "This page may not record",
};
const ALL_COMPLETE = "All letters are complete. Press Finish, or delete frames that you do not want.";
const TOUCH = matchMedia("(pointer: coarse)").matches;
const COLOURS = { good: "#7ee2a8", rec: "#ffffff", bad: "#ffc857" };

/** Records one person, until `stop`. */
class Session extends ExclusiveSession {
  #server = new Server();
  #view = new View();
  #preview = new Preview();
  #clip = null; // the clip that is being recorded or judged
  #judging = false; // whether it is being judged
  #recording;
  #state = null; // last state received from the server; null before the first one
  #finishing = false; // whether the recording is being finished: a frame that comes too late must not reopen it
  #asking = false; // whether a question is open
  #switching = false; // whether a request to switch the letter is pending
  #recent = []; // files of the newest frames, newest first
  #thumbnailTimer = 0;
  #lastStoredMs = 0; // time at which the last frame was stored
  #cameraInfo = null; // label and settings of the camera, to report to the server
  #handlers;
  #stopListening;

  constructor(person, onFinish) {
    super(TEXTS);
    this.person = person;
    this.onFinish = onFinish;
    this.#handlers = { choose: (letter) => this.#choose(letter), remove: (file) => this.#remove(file) };
    this.stage = new CameraStage({
      onProblem: (problem) => this.#showProblem(problem),
      onOpen: (label, settings) => this.#cameraOpened(label, settings),
    });
    this.#recording = new Recording({
      onChange: () => this.#recordingChanged(),
      onCountdown: (seconds) => this.#view.countdown(seconds),
      onTooShort: () => this.#view.hint("Too short: keep holding until the countdown has ended."),
    });
    this.#stopListening = listen(this.#recording, {
      canRecord: () => this.#canAct() && !this.#asking && !this.#judging && this.stage.live,
      canAct: () => this.#canAct(),
      undo: () => this.#undo(),
      step: (by) => this.#step(by),
      finish: () => this.#finish(),
    });
    this.join();
  }

  stop() {
    this.stopped = true;
    this.#recording.stop();
    this.#stopListening();
    clearToast(); // its button would put back frames of a closed recording
    this.stage.stop();
    document.body.classList.remove("recording");
  }

  #canAct() {
    return this.joined && !this.stopped && !document.querySelector("dialog[open]");
  }

  async requestJoin(takeOver) {
    this.#apply(await this.#server.join(this.person, this.#state?.letter ?? null, takeOver));
    if (this.#cameraInfo) this.#reportCamera();
    return this.#state.camera;
  }

  interrupt() {
    this.#recording.stop();
  }

  handleError(error) {
    if (this.#finishing) return false;
    if (this.joined && [404, 422].includes(error.status)) announce(error.message);
    return super.handleError(error);
  }

  #apply(newState) {
    if (this.stopped) return;
    if (this.#state?.letter !== newState.letter) this.#view.hint(null); // it was about the previous letter
    this.#state = newState;
    this.#recent = newState.recent;
    this.#recording.countdownS = newState.countdown_s;
    this.#recording.burstS = newState.burst_s;
    this.#recording.switchLetter(newState.letter, this.#recordsClips ? newState.clip_s : null);
    this.#view.state(newState, this.#handlers);
    this.stage.problem("disk", newState.failure && { title: "The disk is full", text: newState.failure });
    if (newState.question) this.#ask(newState.question);
    if (this.stage.live) this.#askLicence();
  }

  get #recordsClips() {
    return this.#state.clip_letters.includes(this.#state.letter);
  }

  /** Send a request for the user and show the returned state. Returns the response, or null if it failed. */
  async #act(request) {
    try {
      const response = await request();
      this.#apply({ ...this.#state, ...response });
      return response;
    } catch (error) {
      this.recover(error);
      return null;
    }
  }

  #recordingChanged() {
    if (this.stopped) return;
    this.#view.recording(this.#recording.on, this.#recording.keeps(performance.now()));
    if (!this.#recording.on) this.#finishClip();
  }

  #cameraOpened(label, settings) {
    this.#cameraInfo = { label, settings };
    if (this.joined) this.#reportCamera();
    this.#askLicence(); // only now, when the camera works
  }

  async #reportCamera() {
    try {
      await this.#server.setCamera(this.#cameraInfo.label, this.#cameraInfo.settings);
    } catch (error) {
      this.handleError(error);
    }
  }

  #showProblem(problem) {
    if (!problem || this.stopped) return;
    this.#recording.stop();
    this.stage.hand(null);
    this.#view.verdict("wait", problem.title);
  }

  /** Milliseconds between two frames. While recording, the storage interval is a whole number of them. */
  #periodMs() {
    const { fps, interval_s: intervalS } = this.#state;
    const shortest = 1 / fps;
    if (!this.#recording.on || this.#recordsClips || intervalS < shortest) return shortest * 1000;
    // 1e-6: rounding errors must not turn a whole number of frames into one fewer.
    return (intervalS / Math.floor(intervalS * fps + 1e-6)) * 1000 + 1;
  }

  async loop() {
    let nextMs = 0;
    while (!this.stopped) {
      const now = performance.now();
      // Browsers slow down timers of hidden pages, so these send no frames at all.
      const idle =
        !this.joined || !this.stage.live || document.hidden || this.#asking || this.#finishing || this.#judging;
      if (idle || now < nextMs) {
        await pause(idle ? 100 : nextMs - now);
        continue;
      }
      const frame = await this.stage.takeFrame();
      if (!frame) {
        await pause(8);
        continue;
      }
      nextMs = frame.takenMs + this.#periodMs();
      if (this.#recordsClips && this.#recording.keeps(frame.takenMs)) this.#addToClip(frame);
      else await this.#send(frame);
    }
  }

  /** Send a frame of a clip without waiting for the response, so that the next one is taken in time. */
  #addToClip(frame) {
    if (this.#clip === null) {
      const { letter, revision } = this.#state;
      this.#clip = new Clip(this.#server, { clip: this.#recording.burstNumber, letter, revision });
      this.#view.hint(null);
      this.#view.verdict("rec", letter === "none" ? "Recording." : `Recording ${letter}. Sign it once, then release.`);
      this.stage.hand(null);
    }
    this.#clip.add(frame);
  }

  /** Called when recording stops: let the clip be judged, and show the decision. */
  async #finishClip() {
    const clip = this.#clip;
    if (clip === null || this.#judging) return;
    this.#judging = true;
    this.#view.verdict("wait", "Checking the clip…");
    const result = await this.#act(() => clip.finish());
    this.#judging = false;
    this.#clip = null;
    if (!result || this.stopped) return;
    const letter = result.stored?.split("/")[0];
    if (result.stored) this.#view.verdict("good", `Clip ${result.counts[letter]} ${letter === "none" ? "" : `of ${letter} `}stored.`);
    this.#view.hint(result.stored ? null : (result.messages[0] ?? null));
    if (result.complete.includes(result.letter)) this.#switchToNextLetter();
  }

  async #send({ jpeg, takenMs }) {
    const keep = this.#recording.keeps(takenMs) && !this.#switching;
    const options = { keep, revision: this.#state.revision, burst: this.#recording.burstNumber, takenS: takenMs / 1000 };
    try {
      const decision = await this.#server.sendFrame(jpeg, options);
      if (this.stopped) return;
      this.#showDecision(decision, keep);
      this.stage.problem("server", null);
    } catch (error) {
      await this.recover(error);
    }
  }

  #showDecision(decision, keep) {
    const now = performance.now();
    const state = this.#state;
    const active = this.#recording.keeps(now);
    if (decision.stored) this.#lastStoredMs = now;
    // Some frames between stored ones are always too similar. That is harmless, and only said if nothing was stored for
    // a while.
    const similar = decision.reasons[0] === "too-alike";
    const tolerated = similar && (!active || now - this.#lastStoredMs < SIMILAR_WARNING_MS);
    const good = !decision.reasons.length || tolerated || decision.stored !== null;
    const kind = active && good ? "rec" : good ? "good" : "bad";
    this.stage.hand(decision.landmarks, decision.box, COLOURS[similar ? "good" : kind]);
    const ready = this.#instruction();
    const status = active ? `Recording ${decision.letter}.` : this.#recording.on ? "Get ready." : ready;
    // Neutral for a similar frame: nothing is wrong with it.
    this.#view.verdict(similar && !good ? "wait" : kind, good ? status : decision.messages[0]);
    if (keep || decision.hint) this.#view.hint(decision.hint);
    this.#preview.show(decision.preview, decision.letter);
    if (decision.question) this.#ask(decision.question);
    // The letter or the frames have changed since the last state, for example by a request that was still pending.
    if (decision.revision !== state.revision) {
      if (!this.#switching) this.#act(() => this.#server.state());
      return;
    }
    state.counts[decision.letter] = decision.count;
    if (decision.complete && !state.complete.includes(decision.letter)) state.complete.push(decision.letter);
    state.usual_hand = decision.usual_hand;
    this.#view.letter(state.letter, state.usual_hand);
    this.#view.count(decision.count, state);
    this.#view.progress(decision.letter, decision.count, state);
    if (decision.stored) this.#addRecent(decision.stored);
    if (decision.complete && keep) this.#switchToNextLetter();
  }

  /** What to do next if the frame is good. */
  #instruction() {
    const { letter, counts, negative_examples: examples } = this.#state;
    const hold = `Hold ${TOUCH ? "the button" : "the space bar or the button"}`;
    if (!this.#recordsClips) return `Good. ${hold} to record.`;
    if (letter !== "none") return `Good. ${hold}, sign ${letter}, release.`;
    return `${hold}, move, release. ${examples[counts.none % examples.length]}`;
  }

  /** Add a frame to the thumbnails. They are loaded in batches, so that they do not delay frames. */
  #addRecent(file) {
    this.#recent = [file, ...this.#recent].slice(0, RECENT_FRAMES);
    if (this.#thumbnailTimer) return;
    this.#thumbnailTimer = setTimeout(() => {
      this.#thumbnailTimer = 0;
      if (!this.stopped) this.#view.recent(this.#recent, this.#handlers.remove);
    }, THUMBNAIL_DELAY_MS);
  }

  /** Called when a letter is complete. Stops recording if all letters are. */
  async #switchToNextLetter() {
    if (this.#switching) return;
    this.#switching = true;
    const completed = this.#state.letter;
    const newState = await this.#act(() => this.#server.selectAdjacentLetter(1));
    this.#switching = false;
    if (!newState) return;
    if (newState.letter === completed) {
      this.#recording.stop();
      this.#view.hint(newState.complete.length ? ALL_COMPLETE : null);
    } else {
      announce(`${completed} is complete. Now sign ${newState.letter === "none" ? "no letter" : newState.letter}.`);
    }
  }

  async #choose(letter) {
    this.#switching = true;
    const newState = await this.#act(() => this.#server.selectLetter(letter));
    this.#switching = false;
    if (newState) $("record").focus({ preventScroll: true });
  }

  async #step(by) {
    this.#switching = true;
    await this.#act(() => this.#server.selectAdjacentLetter(by));
    this.#switching = false;
  }

  async #remove(file) {
    this.#view.moveFocusFrom(file);
    const kind = this.#state.clip_letters.includes(file.split("/")[0]) ? "Clip" : "Frame";
    if (await this.#act(() => this.#server.remove(file))) this.#offerPutBack(`${kind} deleted.`);
  }

  async #undo() {
    this.#recording.stop();
    const response = await this.#act(() => this.#server.undo());
    if (!response) return;
    if (response.removed) this.#offerPutBack(`Removed ${plural(response.removed, response.removed_clips ? "clip" : "frame")}.`);
    else toast("Nothing to undo.");
  }

  #offerPutBack(text) {
    toast(text, { label: "Put back", run: () => this.#act(() => this.#server.putBack()), only: true });
  }

  async #ask(side) {
    if (this.#asking) return;
    this.#asking = true;
    this.#recording.stop();
    const confirmed = await this.#view.question(side);
    this.#asking = false;
    if (confirmed !== null) await this.#act(() => this.#server.answerQuestion(confirmed));
  }

  async #askLicence() {
    if (this.#asking || !this.#state.licence_question) return;
    this.#asking = true;
    while (this.joined && this.#state.licence_question) {
      const licence = await this.#view.licence(this.#state.licence_question);
      await this.#act(() => this.#server.chooseLicence(licence));
    }
    this.#asking = false;
  }

  async #finish() {
    this.#recording.stop();
    this.#finishing = true;
    try {
      const summary = await this.#server.finish();
      this.stop();
      this.onFinish(summary);
    } catch (error) {
      this.#finishing = false;
      this.recover(error);
    }
  }
}

function describeStored({ frames, clips }) {
  const clipCount = Object.values(clips).reduce((sum, count) => sum + count, 0);
  return clipCount ? `${plural(frames, "frame")}, ${plural(clipCount, "clip")}` : plural(frames, "frame");
}

function chooserTemplate(choose) {
  const people = shared.people.filter((person) => !person.synthetic);
  return html`<div class="page">
    <h1>Who signs?</h1>
    ${people.length
      ? html`<ul class="cards">${people.map((person) => html`<li><button type="button" class="card pick" @click=${() => choose(person.name)}>
          <b>${person.name}</b><span>${describeStored(person)}</span></button></li>`)}</ul>`
      : html`<p class="card empty">${shared.guidance.needs.record ?? "Add the person who signs first."}</p>`}
    <p><a class="button" href="#people">Add a person</a></p>
  </div>`;
}

export const record = {
  name: "record",
  title: "Record",
  status: () => shared.recording.signer ?? "",

  open(root) {
    let session = null;

    function start(person) {
      session?.stop();
      choosePerson(person);
      root.replaceChildren();
      const content = root.appendChild(document.createElement("div"));
      content.className = "record-part";
      const people = shared.people.filter((each) => !each.synthetic).map((each) => each.name);
      render(recordTemplate(person, people.includes(person) ? people : [person, ...people], start), content);
      session = new Session(person, (summary) => showContent(finishedTemplate(summary, { start, choose: showChooser })));
    }

    function showContent(template) {
      root.replaceChildren();
      const content = root.appendChild(document.createElement("div"));
      render(template, content);
      content.querySelector("h1").focus?.();
    }

    function showChooser() {
      session?.stop();
      session = null;
      showContent(chooserTemplate(start));
    }

    const person = currentPerson();
    if (person) start(person);
    else showChooser();
    return { update() {}, close: () => session?.stop() };
  },
};

