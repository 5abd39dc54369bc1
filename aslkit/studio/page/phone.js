// The QR code with which a phone opens the studio, or the exported page of a model.

import { html, render } from "./lit.js";

/** Show the code, or how to let a phone in; `run` names the model of an exported page. */
export async function showPhone(run = "") {
  const dialog = document.getElementById("phone-dialog");
  const path = `/api/qr.svg${run ? `?run=${encodeURIComponent(run)}` : ""}`;
  const response = await fetch(path).catch(() => null);
  render(
    html`<h2 id="phone-title">Open on a phone</h2>
      ${response?.ok
        ? html`<p>Scan this with the phone's camera. The phone must be in the same network. It warns about the certificate, because this computer made it itself.</p>
            <img class="qr" src=${path} alt="QR code with the address of the page">
            <p>Whoever has this code can see and change everything in the studio.</p>`
        : html`<p>Only this computer can open the page. To use a phone in the same network, stop aslkit in the terminal with Ctrl-C, and start it with:</p>
            <pre><code>aslkit studio --host 0.0.0.0</code></pre>`}
      <div class="choices"><button type="button" @click=${() => dialog.close()}>Close</button></div>`,
    dialog,
  );
  dialog.showModal();
}
