// Speaking to aslkit: one error for each way in which it can fail.

const PATIENCE_MS = 15000;

/** The server does not answer at all. */
export class Gone extends Error {}

/** The server answers, and says no: `status` as in HTTP, `why` where it tells. */
export class Refused extends Error {
  constructor(status, words, why) {
    super(words);
    this.status = status;
    this.why = why;
  }
}

/** Asks under the name of a page, which the server gives it when it joins. */
export class Asking {
  page = "";

  async ask(method, path, content) {
    const isPicture = content instanceof Blob;
    const headers = { "X-Page": this.page };
    if (content !== undefined) headers["Content-Type"] = isPicture ? content.type : "application/json";
    const body = content === undefined || isPicture ? content : JSON.stringify(content);
    let response, values;
    try {
      response = await fetch(path, { method, headers, body, signal: AbortSignal.timeout(PATIENCE_MS) });
      values = await response.json();
    } catch (error) {
      throw new Gone(String(error));
    }
    if (!response.ok) throw new Refused(response.status, values.error, values.why);
    return values;
  }
}
