// The running task: its steps, progress, time left and log, and a button that cancels it.

import { ApiClient } from "./api_client.js";
import { duration } from "./format.js";
import { html, nothing } from "./lit.js";
import { state } from "./store.js";
import { showError } from "./toast.js";

const client = new ApiClient();
const TITLES = { curate: "Checking", train: "Training", export: "Exporting", share: "Preparing" };

export const isRunning = () => state.job?.state === "running";

/** What the current task does, and how much of it is done, in words. */
export function jobText() {
  const { kind, progress } = state.job;
  return `${TITLES[kind]}${progress ? `: ${progress.progress.toLowerCase()}, ${Math.floor((100 * progress.done) / progress.total)} %` : ""}…`;
}

/** The progress of the current task of a kind; nothing if it is another one or has finished. */
export function jobTemplate(kinds) {
  const { job } = state;
  if (!job || !kinds.includes(job.kind)) return nothing;
  if (job.state === "failed") return html`<div class="card job failed" role="alert"><h2>${TITLES[job.kind]} failed</h2><p>${job.error}</p>${logTemplate(job)}</div>`;
  if (job.state !== "running") return nothing;
  const { progress } = job;
  const share = progress ? progress.done / progress.total : 0;
  const left = progress?.remaining_s == null ? "" : `${duration(progress.remaining_s)} left`;
  return html`<section class="card job" aria-label=${TITLES[job.kind]}>
    <h2>${TITLES[job.kind]}…</h2>
    <ol class="steps-list">${job.steps.map((title, index) => html`<li aria-current=${index === job.step ? "step" : nothing} class=${index < job.step ? "done" : ""}>${title}</li>`)}</ol>
    <p class="row spread"><span id="progress-title">${progress ? progress.progress : "Starting"}</span><span>${left}</span></p>
    <progress aria-labelledby="progress-title" max="1" .value=${share}></progress>
    <p class="secondary">You can close this page. The task continues, and is here when you come back.</p>
    <div class="row"><button type="button" id="cancel-job" @click=${cancelJob}>Cancel</button></div>
    ${logTemplate(job)}
  </section>`;
}

const logTemplate = (job) => html`<details><summary>Log</summary><pre tabindex="0">${job.log.join("\n")}</pre></details>`;

async function cancelJob(event) {
  event.target.disabled = true;
  try {
    await client.request("DELETE", "/api/job");
  } catch (error) {
    showError(error);
  }
  event.target.disabled = false;
}
