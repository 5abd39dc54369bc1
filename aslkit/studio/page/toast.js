// Short messages at the bottom of the page, with a button that undoes what has just been done.

const SHOWN_MS = 8000;

/**
 * Show a message. `action` is `{ label, run }`, for example to undo.
 * Only the newest message is shown, so that a button never undoes something older than the message says.
 */
export function toast(text, action = null) {
  const box = document.getElementById("toasts");
  const item = document.createElement("div");
  item.className = "toast";
  const message = document.createElement("span");
  message.textContent = text;
  item.append(message);
  const close = () => item.remove();
  if (action) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = action.label;
    button.addEventListener("click", () => {
      close();
      action.run();
    });
    item.append(button);
  }
  box.replaceChildren(item);
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
const announcement = { text: "", timer: 0, at: 0 };

/** Announce a text to screen readers. If several follow quickly, only the last one is announced. */
export function announce(text) {
  announcement.text = text;
  if (announcement.timer) return;
  const delayMs = Math.max(0, announcement.at + ANNOUNCE_INTERVAL_MS - performance.now());
  announcement.timer = setTimeout(() => {
    announcement.timer = 0;
    announcement.at = performance.now();
    const element = document.getElementById("announcement");
    if (element.textContent !== announcement.text) element.textContent = announcement.text;
  }, delayMs);
}
