// The browser's camera: opens it, explains why it cannot be opened, and takes unmirrored JPEG frames.

const JPEG_QUALITY = 0.95;
const MAX_SIDE_PX = 1280;
const RETRY_MS = 2000;

// Where a browser shows the permission to use the camera.
const PERMISSION_PLACES = [
  [/iPhone|iPad/, "Tap aA or the icon left of the address, then Website Settings, and allow the camera."],
  [/Android.*Firefox|Firefox.*Android/, "Tap the shield or lock left of the address, and allow the camera."],
  [/Android/, "Tap the icon left of the address, then Permissions, and allow the camera."],
  [/Firefox/, "Click the crossed-out camera left of the address, and remove the block."],
  [/Edg|Chrome|Chromium/, "Click the camera icon at the right end of the address bar, or the icon left of the address, and allow the camera."],
  [/Safari/, "Choose Safari, Settings for This Website, Camera, Allow."],
];
const permissionPlace = () =>
  PERMISSION_PLACES.find(([browser]) => browser.test(navigator.userAgent))?.[1] ??
  "Allow it for this page in the settings of your browser.";

const PROBLEMS = {
  insecure: ["The browser does not allow camera access", "Open this page with https or as http://localhost, as printed by aslkit."],
  NotAllowedError: ["Camera access is blocked", () => `${permissionPlace()} Then try again.`],
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
  #stopped = false;
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

  /** Close the camera for good, also one that is still being opened. */
  stop() {
    this.#stopped = true;
    this.close();
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
    if (this.#stopped) return this.close();
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
    if (this.#stopped) return;
    const known = name in PROBLEMS ? name : "NotReadableError";
    const [title, text] = PROBLEMS[known].map((each) => (typeof each === "function" ? each() : each));
    const button = known === "insecure" ? null : "Try again";
    this.close();
    this.callbacks.onProblem({ title, text, button, action: () => this.open(this.#request) });
    if (RETRYABLE.includes(known)) this.#retryTimer = setTimeout(() => this.#reopen(), RETRY_MS);
  }

  #reopen() {
    if (!this.#stopped && this.#request && !this.#stream && !this.#opening) this.open(this.#request);
  }

  // Count the frames that the camera delivers, so that takeFrame returns none of them twice.
  #countFrames() {
    const next = () => {
      if (this.#stopped) return;
      this.#frameNumber += 1;
      // Without it, frames of the display are counted, so a camera frame may be sent twice.
      if (this.#video.requestVideoFrameCallback) this.#video.requestVideoFrameCallback(next);
      else requestAnimationFrame(next);
    };
    next();
  }
}
