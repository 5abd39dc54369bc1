// The camera: opening it, telling in plain words why it does not open, and taking pictures of it, unmirrored.

const QUALITY = 0.95;
const WIDEST = 1280;
const RETRY_MS = 2000;

const TROUBLES = {
  insecure: ["The browser gives no camera to this page", "Open it as http://localhost or with https, as aslkit printed it."],
  NotAllowedError: [
    "The camera is not allowed",
    "Allow it for this page: at the camera sign in or beside the address bar. Then try again.",
  ],
  NotFoundError: ["No camera was found", "Plug one in. The page goes on by itself."],
  NotReadableError: ["The camera is in use", "Close the other program that uses it. The page goes on by itself."],
  gone: ["The camera is gone", "Plug it in. The page goes on by itself; what was stored is safe."],
};
const BY_ITSELF = ["NotFoundError", "NotReadableError", "gone"];

export class Camera {
  #video;
  #canvas = document.createElement("canvas");
  #asked;
  #stream = null;
  #chosen = "";
  #number = 0;
  #taken = 0;
  #opening = null;
  #retry = 0;

  /**
   * @param video where it is shown.
   * @param on `open(label, settings, cameras, chosen)` when it runs, `trouble({title, text, button})` or `trouble(null)`.
   */
  constructor(video, on) {
    this.#video = video;
    this.on = on;
    navigator.mediaDevices?.addEventListener?.("devicechange", () => this.#again());
    this.#follow();
  }

  /** Open it, or the one of that id; says what is wrong where it does not open. */
  open(asked, chosen = this.#chosen) {
    this.#asked = asked;
    this.#chosen = chosen;
    this.#opening ??= this.#open().finally(() => (this.#opening = null));
    return this.#opening;
  }

  get live() {
    const track = this.#stream?.getVideoTracks()[0];
    return track?.readyState === "live" && this.#video.videoWidth > 0;
  }

  close() {
    clearTimeout(this.#retry);
    this.#stream?.getTracks().forEach((track) => {
      track.onended = null;
      track.stop();
    });
    this.#stream = null;
  }

  /** Take a picture: `{jpeg, takenMs}`; null where there is no new one since the last. */
  async shot() {
    if (!this.live || this.#number === this.#taken) return null;
    this.#taken = this.#number;
    const { videoWidth, videoHeight } = this.#video;
    const scale = Math.min(1, WIDEST / Math.max(videoWidth, videoHeight));
    this.#canvas.width = Math.round(videoWidth * scale);
    this.#canvas.height = Math.round(videoHeight * scale);
    const takenMs = performance.now();
    this.#canvas.getContext("2d").drawImage(this.#video, 0, 0, this.#canvas.width, this.#canvas.height);
    const jpeg = await new Promise((done) => this.#canvas.toBlob(done, "image/jpeg", QUALITY));
    return jpeg && { jpeg, takenMs };
  }

  async #open() {
    this.close();
    if (!navigator.mediaDevices?.getUserMedia) return this.#trouble("insecure");
    try {
      this.#stream = await this.#stream_of(this.#chosen);
    } catch (error) {
      return this.#trouble(error.name);
    }
    const track = this.#stream.getVideoTracks()[0];
    track.onended = () => this.#trouble("gone");
    this.#video.srcObject = this.#stream;
    await this.#video.play().catch(() => {});
    this.on.trouble(null);
    const devices = await navigator.mediaDevices.enumerateDevices();
    const cameras = devices.filter((device) => device.kind === "videoinput");
    this.on.open(track.label, track.getSettings(), cameras, track.getSettings().deviceId);
  }

  async #stream_of(chosen) {
    const { width, height, fps } = this.#asked;
    const which = chosen ? { deviceId: { exact: chosen } } : { facingMode: "user" };
    const video = { width: { ideal: width }, height: { ideal: height }, frameRate: { ideal: fps }, ...which };
    try {
      return await navigator.mediaDevices.getUserMedia({ video, audio: false });
    } catch (error) {
      if (!chosen || !["OverconstrainedError", "NotFoundError"].includes(error.name)) throw error;
      return this.#stream_of(""); // the chosen one is not there: any other is better than none
    }
  }

  #trouble(name) {
    const known = name in TROUBLES ? name : "NotReadableError";
    const [title, text] = TROUBLES[known];
    const button = known === "insecure" ? null : "Try again";
    this.close();
    this.on.trouble({ title, text, button, action: () => this.open(this.#asked) });
    if (BY_ITSELF.includes(known)) this.#retry = setTimeout(() => this.#again(), RETRY_MS);
  }

  #again() {
    if (this.#asked && !this.#stream && !this.#opening) this.open(this.#asked);
  }

  // Count the pictures that the camera has given: the same one is not sent twice.
  #follow() {
    const next = () => {
      this.#number += 1;
      if (this.#video.requestVideoFrameCallback) this.#video.requestVideoFrameCallback(next);
      else requestAnimationFrame(next);
    };
    next();
  }
}
