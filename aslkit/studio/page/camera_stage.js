// The camera image with the hand drawn over it, a notice for problems, and the choice of the camera.

import { Camera } from "./camera.js";
import { drawHand } from "./hand.js";
import { html } from "./lit.js";
import { Notice } from "./notice.js";

/** The elements of the stage; `extra` is shown over the image. */
export const stageTemplate = (extra = "") => html`
  <div class="frame">
    <div id="picture">
      <video id="video" playsinline muted autoplay aria-hidden="true"></video>
      <canvas id="overlay" aria-hidden="true"></canvas>
      ${extra}
    </div>
    <div id="notice" role="alert" hidden>
      <h2 id="notice-title"></h2>
      <p id="notice-text"></p>
      <button id="notice-button" type="button" hidden></button>
    </div>
    <label id="camera-choice" hidden><span class="visually-hidden">Camera</span><select id="cameras"></select></label>
  </div>`;

/** Opens the camera and shows its problems. The elements of `stageTemplate` must exist. */
export class CameraStage {
  #notice = new Notice();
  #onProblem;
  #onOpen;

  /** @param callbacks `onProblem(first)` when the shown problem changes, `onOpen(label, settings)` after opening. */
  constructor({ onProblem, onOpen = () => {} }) {
    this.#onProblem = onProblem;
    this.#onOpen = onOpen;
    this.#notice.clear();
    this.video = document.getElementById("video");
    this.camera = new Camera(this.video, {
      onOpen: (...values) => this.#opened(...values),
      onProblem: (problem) => this.problem("camera", problem),
    });
    this.video.addEventListener("resize", () => this.#setRatio());
    document.getElementById("cameras").addEventListener("change", (event) => this.camera.open(this.#request, event.target.value));
  }

  #request = null;

  open(request) {
    this.#request = request;
    return this.camera.open(request);
  }

  get live() {
    return this.camera.live;
  }

  /** Stop the camera for good, when the part is left. */
  stop() {
    this.camera.stop();
  }

  takeFrame() {
    return this.camera.takeFrame();
  }

  /** Show a problem of a kind, or clear it with null; see Notice. Returns the problem that is shown. */
  problem(kind, problem) {
    const first = this.#notice.set(kind, problem);
    this.#onProblem(first ?? null);
    return first;
  }

  /** Draw a hand; see drawHand. */
  hand(landmarks, box, colour) {
    drawHand(document.getElementById("overlay"), landmarks, box, colour);
  }

  #setRatio() {
    document.getElementById("picture")?.style.setProperty("--ratio", String(this.video.videoWidth / this.video.videoHeight || 4 / 3));
  }

  #opened(label, settings, cameras, deviceId) {
    this.#setRatio();
    document.getElementById("camera-choice").hidden = cameras.length < 2;
    document.getElementById("cameras").replaceChildren(
      ...cameras.map((each, index) => new Option(each.label || `Camera ${index + 1}`, each.deviceId, false, each.deviceId === deviceId)),
    );
    this.#onOpen(label, settings);
  }
}
