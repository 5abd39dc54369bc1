// Short messages at the bottom of the page, with a button that undoes what has just been done.

const SHOWN_MS = 8000;

const box = document.getElementById("toasts");
const announced = document.getElementById("announcement");

// An open dialog blocks what is outside it for screen readers and the mouse, so messages move into it.
function moveIntoDialog() {
  const parent = [...document.querySelectorAll("dialog:modal")].at(-1) ?? document.body;
  if (box.parentElement !== parent) parent.append(announced, box);
}
document.addEventListener("close", moveIntoDialog, true);

/** Remove the message, as when the part that showed it is left. */
export const clearToast = () => box.replaceChildren();

/**
 * Show a message. `action` is `{ label, run, only }`, for example to undo; with `only`, nothing else on the page does the
 * same, so that the message stays until it is closed (WCAG 2.2.1).
 * Only the newest message is shown, so that a button never undoes something older than the message says.
 */
export function toast(text, action = null) {
  moveIntoDialog();
  // Above a bar of buttons at the bottom of the page, if there is one.
  const bar = document.querySelector(".controls, .review-bar")?.getBoundingClientRect();
  const covered = bar && bar.bottom > innerHeight - 8 ? innerHeight - bar.top : 0;
  box.style.setProperty("--covered", `${covered}px`);
  const item = document.createElement("div");
  item.className = "toast";
  const message = document.createElement("span");
  message.textContent = text;
  item.append(message);
  const close = () => {
    const focused = item.contains(document.activeElement);
    item.remove();
    if (focused) document.getElementById("part").focus({ preventScroll: true });
  };
  const addButton = (label, run) => {
    const button = Object.assign(document.createElement("button"), { type: "button", textContent: label });
    button.addEventListener("click", () => {
      close();
      run?.();
    });
    item.append(button);
  };
  if (action) addButton(action.label, action.run);
  if (action?.only) addButton("Close");
  box.replaceChildren(item);
  if (action?.only) return;
  let timer = setTimeout(close, SHOWN_MS);
  // People who read or reach the button slowly get more time (WCAG 2.2.1).
  for (const event of ["pointerenter", "focusin"]) item.addEventListener(event, () => clearTimeout(timer));
  for (const event of ["pointerleave", "focusout"]) {
    item.addEventListener(event, () => {
      clearTimeout(timer);
      timer = setTimeout(close, SHOWN_MS);
    });
  }
}

/** Show an error of a request, unless it is one that a part shows itself. */
export function showError(error) {
  toast(error.status ? error.message : "The server does not respond. If aslkit has stopped, start it again.");
}

const ANNOUNCE_INTERVAL_MS = 1000; // minimum time between two screen reader announcements
const ANNOUNCE_DELAY_MS = 100; // screen readers need this to notice that the element has moved
const announcement = { text: "", timer: 0, at: 0 };

/** Announce a text to screen readers. If several follow quickly, only the last one is announced. */
export function announce(text) {
  announcement.text = text;
  moveIntoDialog();
  if (announcement.timer) return;
  const delayMs = Math.max(ANNOUNCE_DELAY_MS, announcement.at + ANNOUNCE_INTERVAL_MS - performance.now());
  announcement.timer = setTimeout(() => {
    announcement.timer = 0;
    announcement.at = performance.now();
    if (announced.textContent !== announcement.text) announced.textContent = announcement.text;
  }, delayMs);
}
