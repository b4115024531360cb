// For forms that post to this Postrider: keeps the visitor on the page, and does the proof of work (ALTCHA v2) where one is
// asked for. Forms work without it. No cookie, nothing stored, nobody else is asked.
(() => {
  "use strict";
  const script = document.currentScript.src;
  const base = script.slice(0, script.lastIndexOf("/") + 1);
  const submit = HTMLFormElement.prototype.submit;
  const hex = (buffer) => Array.from(new Uint8Array(buffer), (b) => b.toString(16).padStart(2, "0")).join("");
  const bytes = (text) => Uint8Array.from(text.match(/../g), (pair) => parseInt(pair, 16));

  async function solve(challenge) {
    const { nonce, salt, cost, keyLength, keyPrefix } = challenge.parameters;
    const how = { name: "PBKDF2", hash: "SHA-256", salt: bytes(salt), iterations: cost };
    const password = new Uint8Array([...bytes(nonce), 0, 0, 0, 0]);
    const end = new DataView(password.buffer, password.length - 4);
    for (let counter = 0; ; counter++) {
      end.setUint32(0, counter);
      const key = await crypto.subtle.importKey("raw", password, "PBKDF2", false, ["deriveBits"]);
      const derivedKey = hex(await crypto.subtle.deriveBits(how, key, 8 * keyLength));
      if (derivedKey.startsWith(keyPrefix)) return btoa(JSON.stringify({ challenge, solution: { counter, derivedKey } }));
    }
  }

  async function prove(form) {
    const answer = await fetch(base + "challenge", { credentials: "omit" });
    if (answer.status !== 200) return;
    const field = form.elements.altcha || form.appendChild(document.createElement("input"));
    field.type = "hidden";
    field.name = "altcha";
    field.value = await solve(await answer.json());
  }

  async function send(form) {
    const answer = await fetch(form.action, {
      method: "POST",
      body: new URLSearchParams(new FormData(form)),
      headers: { Accept: "application/json" },
      credentials: "omit",
    });
    const said = await answer.json();
    const note = form.querySelector("[role=status]") || document.createElement("p");
    note.setAttribute("role", "status");
    note.textContent = said.message || said.error;
    if (answer.ok) form.replaceChildren(note);
    else form.append(note);
  }

  document.addEventListener("submit", async (event) => {
    const form = event.target;
    if (!form.action.startsWith(base + "join/")) return;
    event.preventDefault();
    if (form.dataset.busy) return;
    form.dataset.busy = "1";
    try {
      await prove(form);
    } catch {} // the form is taken without it as well
    try {
      if (base.startsWith(location.origin)) submit.call(form);
      else await send(form);
    } catch {
      submit.call(form);
    }
    delete form.dataset.busy;
  });
})();
