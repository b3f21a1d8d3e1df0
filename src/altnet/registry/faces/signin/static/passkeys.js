// Passkeys, the one thing here that cannot work without a script: the browser's answer goes into a form, and is sent.
"use strict";
(() => {
  if (!window.PublicKeyCredential) return;
  const bytes = (text) =>
    Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (letter) => letter.charCodeAt(0));
  const text = (buffer) =>
    btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  const listed = (entries) => (entries || []).map((entry) => ({ ...entry, id: bytes(entry.id) }));
  const options = (asked) => {
    const wanted = { ...asked, challenge: bytes(asked.challenge) };
    if (asked.user) wanted.user = { ...asked.user, id: bytes(asked.user.id) };
    if (asked.excludeCredentials) wanted.excludeCredentials = listed(asked.excludeCredentials);
    if (asked.allowCredentials) wanted.allowCredentials = listed(asked.allowCredentials);
    return wanted;
  };
  const answer = (credential) => {
    const response = {};
    for (const part of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"])
      if (credential.response[part]) response[part] = text(credential.response[part]);
    return {
      id: credential.id,
      rawId: text(credential.rawId),
      type: credential.type,
      authenticatorAttachment: credential.authenticatorAttachment,
      clientExtensionResults: credential.getClientExtensionResults(),
      response,
    };
  };
  for (const form of document.querySelectorAll("form[data-passkey]")) {
    form.hidden = false;
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      const wrong = form.querySelector("[role=alert]");
      if (wrong) wrong.hidden = true;
      try {
        const publicKey = options(JSON.parse(form.dataset.options).publicKey);
        const made = await navigator.credentials[form.dataset.passkey]({ publicKey });
        form.elements.response.value = JSON.stringify(answer(made));
        form.submit();
      } catch {
        if (wrong) wrong.hidden = false;
      }
    });
  }
})();
