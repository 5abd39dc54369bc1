// The part Share: what would be published, and the files to download.

import { ApiClient } from "../api_client.js";
import { formatCount, inWords, plural, size } from "../format.js";
import { isRunning, jobTemplate } from "../job.js";
import { html, nothing, render } from "../lit.js";
import { showPhone } from "../phone.js";
import { state } from "../store.js";
import { showError } from "../toast.js";

const client = new ApiClient();
const STARTER = "starter";
const IMAGES = {
  crop: "Hands only, faces pixelated",
  none: "No images, only landmarks",
  whole: "Whole images",
};

function modelTemplate(sharing, run, { choose, send }) {
  const summary = state.runs.find((each) => each.run === run);
  const names = [...state.runs.map((each) => each.run), STARTER];
  return html`<section class="card" aria-labelledby="model-title">
    <h2 id="model-title">A model</h2>
    <label class="field"><b>Model</b><select id="share-run" @change=${choose}>${names.map((name) => html`<option value=${name} ?selected=${name === run}>${name}</option>`)}</select></label>
    <p>${summary
      ? html`Publishes what was learnt, and who it was trained on: ${inWords(summary.signers)}. It contains no images.`
      : html`The model that aslkit ships. It contains no images.`}</p>
    ${privateSigners(summary).length ? html`<p class="problem">${inWords(privateSigners(summary))} ${privateSigners(summary).length === 1 ? "keeps" : "keep"} the images private. Ask before you publish a model of these hands.</p>` : nothing}
    <ul class="downloads">${Object.entries(sharing.formats).map(([format, text]) => formatRow(sharing, run, format, text, send))}</ul>
  </section>`;
}

const privateSigners = (run) => (run?.signers ?? []).filter((name) => state.people.some((person) => person.name === name && person.licence === "private"));

function formatRow(sharing, run, format, text, send) {
  const bytes = sharing.exports[run]?.[format];
  const [title, ...rest] = text.split(": ");
  return html`<li><div><b>${title}</b><span>${rest.join(": ")}</span></div>
    ${bytes
      ? html`<div class="row">${format === "page" ? html`<a class="button" href="/pages/${run}/" target="_blank" rel="noopener">Open<span class="visually-hidden"> the page</span></a>
            <button type="button" @click=${() => showPhone(run)}>Phone<span class="visually-hidden">: open the page there</span></button>` : nothing}
          <a class="button primary" href="/download/export/${run}/${format}" download>Download<span class="visually-hidden"> ${title}</span>&nbsp;(${size(bytes)})</a></div>`
      : html`<button type="button" ?disabled=${isRunning()} @click=${() => send("export", { run, format })}>Create<span class="visually-hidden"> ${title}</span></button>`}
  </li>`;
}

function datasetTemplate(dataset, names, { choose, prepare }) {
  const blocked = dataset.signers.filter((signer) => signer.private);
  const unstated = dataset.signers.filter((signer) => !signer.licence);
  return html`<form class="card" aria-labelledby="dataset-title" @submit=${prepare}>
    <h2 id="dataset-title">The recordings</h2>
    ${names.length > 1 ? html`<label class="field"><b>Dataset</b><select id="share-dataset" @change=${choose}>${names.map((name) => html`<option value=${name} ?selected=${name === dataset.name}>${name}</option>`)}</select></label>` : nothing}
    <p>Would publish ${plural(dataset.images, "image")} of:</p>
    <table><thead><tr><th scope="col">Person</th><th scope="col" class="number">Images</th><th scope="col">Licence</th></tr></thead>
      <tbody>${dataset.signers.map((signer) => html`<tr><th scope="row">${signer.name}</th><td class="number">${formatCount(signer.images)}</td><td>${signer.private ? html`<span class="badge private">private</span>` : (signer.licence ?? "not stated")}</td></tr>`)}</tbody></table>
    ${blocked.length ? html`<p class="problem" id="share-blocked">${inWords(blocked.map((signer) => signer.name))} ${blocked.length === 1 ? "keeps" : "keep"} the images private, so nobody else may get them. If that changes, choose another licence under <a href="#people">People</a>, and train again.</p>` : nothing}
    ${unstated.length ? html`<p class="problem">No licence is stated for ${inWords(unstated.map((signer) => signer.name))}. Ask, and choose one under <a href="#people">People</a>.</p>` : nothing}
    <fieldset ?disabled=${blocked.length > 0}><legend>What to share</legend>
      <div class="choices-list">${Object.entries(IMAGES).map(([value, title], index) => html`<label class="choice"><input type="radio" name="images" value=${value} ?checked=${index === 0}><span><b>${title}</b></span></label>`)}</div>
      <label class="switch"><input type="checkbox" name="pseudonyms" checked> Replace the names of people</label></fieldset>
    <div class="row"><button type="submit" class=${dataset.prepared ? "" : "primary"} ?disabled=${blocked.length > 0 || isRunning()}>${dataset.prepared ? "Prepare again" : "Prepare"}</button></div>
    ${dataset.prepared ? preparedTemplate(dataset) : nothing}
  </form>`;
}

function preparedTemplate({ name, prepared }) {
  const { faces, pixelated, images, left_out: leftOut } = prepared;
  return html`<div class="prepared" role="status">
    <p><b>Ready.</b> ${images ? `It contains ${plural(images, "image")}.` : "It contains no images."} ${pixelated ? `Faces in ${plural(pixelated, "image")} were pixelated.` : ""} ${leftOut ? `${plural(leftOut, "image")} without a hand were left out.` : ""}</p>
    ${faces ? html`<p class="problem">Faces are visible in ${plural(faces, "image")}. Share it only if everyone visible agrees.</p>` : nothing}
    <p class="secondary">Nothing is sent anywhere. You download a ZIP file, and decide who gets it. What is published once cannot be taken back.</p>
    <a class="button primary" href="/download/dataset/${name}" download>Download</a></div>`;
}

export const share = {
  name: "share",
  title: "Share",
  status: () => "",

  open(root) {
    let sharing = null;
    let run = state.runs[0]?.run ?? STARTER;
    let dataset = "";

    async function load() {
      try {
        sharing = await client.request("GET", "/api/sharing");
        update();
      } catch (error) {
        showError(error);
      }
    }

    async function send(path, body) {
      try {
        await client.request("POST", `/api/sharing/${path}`, body);
      } catch (error) {
        showError(error);
      }
    }

    function prepare(event) {
      event.preventDefault();
      const values = new FormData(event.target);
      send("prepare", { dataset: shownDataset().name, images: values.get("images"), pseudonyms: values.has("pseudonyms") });
    }

    const shownDataset = () => sharing.datasets.find((each) => each.name === dataset) ?? sharing.datasets.find((each) => each.name === "custom") ?? sharing.datasets[0];

    function update() {
      if (!sharing) return render(html`<div class="page"><h1>Share</h1><p class="secondary">Loading…</p></div>`, root);
      const shown = shownDataset();
      const chooseRun = (event) => {
        run = event.target.value;
        update();
      };
      const chooseDataset = (event) => {
        dataset = event.target.value;
        update();
      };
      render(
        html`<div class="page"><h1>Share</h1>
          ${jobTemplate(["export", "share"])}
          <div class="columns">
            ${modelTemplate(sharing, run, { choose: chooseRun, send })}
            ${shown ? datasetTemplate(shown, sharing.datasets.map((each) => each.name), { choose: chooseDataset, prepare }) : html`<p class="card empty">Recordings can be shared after the first training, which curates them.</p>`}
          </div></div>`,
        root,
      );
    }
    update();
    load();
    return {
      update(names) {
        if (names.has("job") && !isRunning()) load();
        else update();
      },
      close() {},
    };
  },
};
