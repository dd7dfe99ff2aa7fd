// What the browser must do by itself: keys and IME, scrolling, growing the text field, theme, leaving at once.

const quickExitMs = 600;
const nearBottomPx = 96;

function remember(name, value) {
  document.cookie = `${name}=${value}; path=/; max-age=31536000; samesite=strict`;
}

function switchTheme() {
  const root = document.documentElement;
  const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
  remember("theme", root.dataset.theme);
}

// Replacing keeps the page out of the history of this tab; closing the connection ends the conversation on the other side.
function leave() {
  document.documentElement.hidden = true;
  location.replace("about:blank");
}

export function setLanguage(tag) {
  document.documentElement.lang = tag;
  remember("lang", tag);
}

// On a touch screen the focus would bring up the keyboard unasked.
export function focusComposer() {
  if (matchMedia("(hover: hover)").matches) {
    document.getElementById("message")?.focus();
  }
}

export function attach(shell, page) {
  const field = shell.querySelector("#message");
  const log = shell.querySelector("#log");
  let stick = true;
  let lastEscape = -Infinity;

  const atBottom = () => document.documentElement.scrollHeight - innerHeight - scrollY < nearBottomPx;
  const toBottom = () => scrollTo({ top: document.documentElement.scrollHeight });
  const grow = () => {
    field.style.height = "auto";
    field.style.height = `${Math.min(field.scrollHeight, innerHeight * 0.35)}px`;
  };

  async function send() {
    const text = field.value;
    if (!text.trim()) {
      return;
    }
    stick = true;
    if (await page.invokeMethodAsync("Send", text)) {
      // What was typed while the message travelled stays.
      field.value = field.value.startsWith(text) ? field.value.slice(text.length) : field.value;
      grow();
      toBottom();
    }
  }

  field.addEventListener("input", grow);
  field.addEventListener("keydown", e => {
    // While an input method composes, Enter picks a candidate; 229 is what older browsers send then.
    if (e.key === "Enter" && !e.shiftKey && !e.isComposing && e.keyCode !== 229) {
      e.preventDefault();
      send();
    }
  });
  shell.querySelector("#composer").addEventListener("submit", e => {
    e.preventDefault();
    send();
    field.focus();
  });
  document.addEventListener("keydown", e => {
    if (e.key !== "Escape" || e.isComposing || e.keyCode === 229) {
      return;
    }
    if (e.timeStamp - lastEscape < quickExitMs) {
      leave();
      return;
    }
    lastEscape = e.timeStamp;
    page.invokeMethodAsync("Stop");
  });
  shell.querySelector("#theme").addEventListener("click", switchTheme);
  shell.querySelector("#leave").addEventListener("click", leave);

  addEventListener("scroll", () => { stick = atBottom(); }, { passive: true });
  new MutationObserver(() => { if (stick) toBottom(); }).observe(log, { childList: true, subtree: true, characterData: true });
  focusComposer();
}
