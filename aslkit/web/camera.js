// The browser's camera: opens it, explains why it cannot be opened, and takes unmirrored JPEG frames.

const JPEG_QUALITY = 0.95;
const MAX_SIDE_PX = 1280;
const RETRY_MS = 2000;

const PROBLEMS = {
  insecure: ["The browser does not allow camera access", "Open this page with https or as http://localhost, as printed by aslkit."],
  NotAllowedError: [
    "Camera access is blocked",
    "Allow it for this page: click the camera icon in or next to the address bar. Then try again.",
  ],
  NotFoundError: ["No camera was found", "Connect one. The page then continues automatically."],
  NotReadableError: ["The camera is in use", "Close the other program that uses it. The page then continues automatically."],
  gone: ["The camera was disconnected", "Connect it again. The page then continues automatically; stored frames are safe."],
};
const RETRYABLE = ["NotFoundError", "NotReadableError", "gone"];

export class Camera {
  #video;
  #canvas = document.createElement("canvas");
  #request;
  #stream = null;
  #deviceId = "";
  #frameNumber = 0;
  #takenNumber = 0;
  #opening = null;
  #retryTimer = 0;

  /**
   * @param video the video element that shows the camera.
   * @param callbacks `onOpen(label, settings, cameras, deviceId)` after the camera has opened;
   *   `onProblem({title, text, button, action})` if it cannot be used, `onProblem(null)` once it can.
   */
  constructor(video, callbacks) {
    this.#video = video;
    this.callbacks = callbacks;
    navigator.mediaDevices?.addEventListener?.("devicechange", () => this.#reopen());
    this.#countFrames();
  }

  /** Open a camera; `request` has the preferred `width`, `height` and `fps`. Calls `onProblem` on failure. */
  open(request, deviceId = this.#deviceId) {
    this.#request = request;
    this.#deviceId = deviceId;
    // Calls during an attempt share it; a second getUserMedia would ask for permission twice.
    this.#opening ??= this.#open().finally(() => (this.#opening = null));
    return this.#opening;
  }

  get live() {
    const track = this.#stream?.getVideoTracks()[0];
    return track?.readyState === "live" && this.#video.videoWidth > 0;
  }

  close() {
    clearTimeout(this.#retryTimer);
    this.#stream?.getTracks().forEach((track) => {
      // A late event of this camera must not be reported as a problem of the next one.
      track.onended = null;
      track.stop();
    });
    this.#stream = null;
  }

  /** Return the current frame as `{jpeg, takenMs}`, or null if the camera has delivered none since the last call. */
  async takeFrame() {
    if (!this.live || this.#frameNumber === this.#takenNumber) return null;
    this.#takenNumber = this.#frameNumber;
    const { videoWidth, videoHeight } = this.#video;
    const scale = Math.min(1, MAX_SIDE_PX / Math.max(videoWidth, videoHeight));
    this.#canvas.width = Math.round(videoWidth * scale);
    this.#canvas.height = Math.round(videoHeight * scale);
    const takenMs = performance.now();
    this.#canvas.getContext("2d").drawImage(this.#video, 0, 0, this.#canvas.width, this.#canvas.height);
    const jpeg = await new Promise((resolve) => this.#canvas.toBlob(resolve, "image/jpeg", JPEG_QUALITY));
    return jpeg && { jpeg, takenMs };
  }

  async #open() {
    this.close();
    if (!navigator.mediaDevices?.getUserMedia) return this.#reportProblem("insecure");
    try {
      this.#stream = await this.#getStream(this.#deviceId);
    } catch (error) {
      return this.#reportProblem(error.name);
    }
    const track = this.#stream.getVideoTracks()[0];
    track.onended = () => this.#reportProblem("gone");
    this.#video.srcObject = this.#stream;
    await this.#video.play().catch(() => {});
    this.callbacks.onProblem(null);
    // Asked after opening, because browsers hide the names of cameras until access is allowed.
    const devices = await navigator.mediaDevices.enumerateDevices();
    const cameras = devices.filter((device) => device.kind === "videoinput");
    this.callbacks.onOpen(track.label, track.getSettings(), cameras, track.getSettings().deviceId);
  }

  async #getStream(deviceId) {
    const { width, height, fps } = this.#request;
    const device = deviceId ? { deviceId: { exact: deviceId } } : { facingMode: "user" };
    const video = { width: { ideal: width }, height: { ideal: height }, frameRate: { ideal: fps }, ...device };
    try {
      return await navigator.mediaDevices.getUserMedia({ video, audio: false });
    } catch (error) {
      if (!deviceId || !["OverconstrainedError", "NotFoundError"].includes(error.name)) throw error;
      return this.#getStream(""); // the selected camera is missing: use any other
    }
  }

  #reportProblem(name) {
    const known = name in PROBLEMS ? name : "NotReadableError";
    const [title, text] = PROBLEMS[known];
    const button = known === "insecure" ? null : "Try again";
    this.close();
    this.callbacks.onProblem({ title, text, button, action: () => this.open(this.#request) });
    if (RETRYABLE.includes(known)) this.#retryTimer = setTimeout(() => this.#reopen(), RETRY_MS);
  }

  #reopen() {
    if (this.#request && !this.#stream && !this.#opening) this.open(this.#request);
  }

  // Count the frames that the camera delivers, so that takeFrame returns none of them twice.
  #countFrames() {
    const next = () => {
      this.#frameNumber += 1;
      // Without it, frames of the display are counted, so a camera frame may be sent twice.
      if (this.#video.requestVideoFrameCallback) this.#video.requestVideoFrameCallback(next);
      else requestAnimationFrame(next);
    };
    next();
  }
}
