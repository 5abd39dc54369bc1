// The state that all open windows share. The server sends what changes as server-sent events.

import { ApiClient } from "./api_client.js";
import { showError } from "./toast.js";

const RETRY_MS = 1000;
const client = new ApiClient();

/** Values by name: settings, people, recording, review, job, runs, guidance. See Studio in studio.py. */
export const state = {};

const listeners = new Set();
let source = null;

/** Call a function after each change, with the names of what has changed. Returns a function that stops this. */
export function subscribe(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function apply(values) {
  if (values.problem) showError({ status: 409, message: values.problem });
  // After connecting, the server sends everything, most of which is known.
  const names = Object.keys(values).filter((name) => JSON.stringify(values[name]) !== JSON.stringify(state[name]));
  if (!names.length) return;
  Object.assign(state, values);
  for (const listener of listeners) listener(new Set(names));
}

/** Load the state, and keep it up to date. Calls `onConnection(connected, problem)` when the connection is lost or is back. */
export async function connect(onConnection) {
  apply(await client.request("GET", "/api/state"));
  const open = () => {
    source?.close();
    source = new EventSource("/api/events");
    source.onopen = () => onConnection(true);
    source.onmessage = (event) => apply(JSON.parse(event.data));
    source.onerror = () => {
      onConnection(false);
      if (source.readyState !== EventSource.CLOSED) return;
      // A response other than 200, such as 401 after a restart of the server, ends the automatic retries.
      client.request("GET", "/api/state").catch((error) => error.status && onConnection(false, error.message));
      setTimeout(open, RETRY_MS);
    };
  };
  open();
  // A hidden page needs no events, and browsers allow only six connections to a server.
  document.addEventListener("visibilitychange", () => (document.hidden ? source.close() : open()));
}
