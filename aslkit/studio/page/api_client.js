// HTTP requests to the aslkit server, with one error class per kind of failure.

const TIMEOUT_MS = 30000;

/** The server did not respond. */
export class ServerUnreachable extends Error {}

/** The server responded with an error: `status` is the HTTP status code, `why` the server's reason code, if any. */
export class RequestRefused extends Error {
  constructor(status, message, why) {
    super(message);
    this.status = status;
    this.why = why;
  }
}

/**
 * Sends requests. Some parts are used by one window at a time: its identifier is in `page`, which is kept in the tab's
 * session storage under `name`, so that a reload continues and another tab does not.
 */
export class ApiClient {
  #name;

  constructor(name = "") {
    this.#name = name && `aslkit-page-${name}`;
    this.page = this.#name ? (sessionStorage.getItem(this.#name) ?? "") : "";
  }

  /** Remember the identifier that the server gave this window. */
  setPage(page) {
    this.page = page;
    sessionStorage.setItem(this.#name, page);
  }

  /** Send a request; `content` is an image Blob or a value to send as JSON. Returns the parsed JSON response. */
  async request(method, path, content) {
    const isImage = content instanceof Blob;
    const headers = this.page ? { "X-Page": this.page } : {};
    if (content !== undefined) headers["Content-Type"] = isImage ? content.type : "application/json";
    const body = content === undefined || isImage ? content : JSON.stringify(content);
    let response, values;
    try {
      response = await fetch(path, { method, headers, body, signal: AbortSignal.timeout(TIMEOUT_MS) });
      // In the same block: a response cut off by a lost connection counts as unreachable as well.
      values = await response.json();
    } catch (error) {
      throw new ServerUnreachable(String(error));
    }
    if (!response.ok) throw new RequestRefused(response.status, values.error, values.why);
    return values;
  }
}
