// What makes the portal better, and nothing that it needs: copying, looking at a password, and where one stands.
"use strict";

document.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-copy], button[data-reveal]");
  if (!button) return;
  const source = document.getElementById(button.dataset.copy || button.dataset.reveal);
  if (!source) return;
  if (button.dataset.reveal) {
    const hidden = source.type === "password";
    source.type = hidden ? "text" : "password";
    button.setAttribute("aria-pressed", String(hidden));
    return;
  }
  const text = "value" in source ? source.value : source.textContent;
  const done = () => {
    button.querySelector("[data-label]").textContent = button.dataset.done;
    button.classList.add("done");
  };
  if (navigator.clipboard && window.isSecureContext) {
    navigator.clipboard.writeText(text.trim()).then(done, () => source.select && source.select());
  } else if (source.select) {
    source.select();
  }
});

// What only works with a script is hidden without one.
const unhide = (root) => {
  for (const one of root.querySelectorAll("[data-scripted]")) one.hidden = false;
};

// After a part was exchanged, who uses the keyboard stays at it.
document.addEventListener("htmx:afterSettle", (event) => {
  const part = event.detail.elt;
  unhide(document);
  const first = part.querySelector?.("[aria-invalid=true], [data-focus]");
  if (first && !part.contains(document.activeElement)) first.focus();
});

// On a phone the menu is wider than the screen: the page's own entry is where one looks.
const ready = () => {
  unhide(document);
  const nav = document.querySelector(".top nav");
  const here = nav?.querySelector("[aria-current]");
  if (here && nav.scrollWidth > nav.clientWidth) nav.scrollLeft = here.offsetLeft - (nav.clientWidth - here.offsetWidth) / 2;
};

if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", ready);
else ready();
