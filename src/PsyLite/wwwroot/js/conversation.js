// What the browser must do for the conversation: keys and IME, scrolling, growing the text field, finding back after a reload.

const nearBottomPx = 96;
const conversationKey = "conversation";
const byId = id => document.getElementById(id);

// While an input method composes, Enter picks a candidate; 229 is what older browsers send then.
const isComposing = e => e.isComposing || e.keyCode === 229;

let page;
let stick = true;

function isDark() {
  const theme = document.documentElement.dataset.theme;
  return theme ? theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
}

const atBottom = () => document.documentElement.scrollHeight - innerHeight - scrollY < nearBottomPx;
const toBottom = () => scrollTo({ top: document.documentElement.scrollHeight });

function grow() {
  const field = byId("message");
  field.style.height = "auto";
  field.style.height = `${Math.min(field.scrollHeight, innerHeight * 0.35)}px`;
}

async function send() {
  const field = byId("message");
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

function onKey(e) {
  if (e.key === "Enter" && e.target.id === "message" && !e.shiftKey && !isComposing(e)) {
    e.preventDefault();
    send();
  } else if (e.key === "Escape" && !isComposing(e)) {
    page.invokeMethodAsync("Stop");
  }
}

// A connection that the server no longer knows comes back by reloading; words that were not sent are not lost for it.
function onConnection() {
  const modal = byId("components-reconnect-modal");
  if (modal.classList.contains("components-reconnect-rejected") && !byId("message").value) {
    location.reload();
  }
}

export function setLanguage(tag) {
  document.documentElement.lang = tag;
  document.cookie = `lang=${tag}; path=/; max-age=31536000; samesite=strict`;
}

// In this tab only, and gone with it: which conversation to show after a reload.
export function remember(conversation) {
  if (conversation) {
    sessionStorage.setItem(conversationKey, conversation);
  } else {
    sessionStorage.removeItem(conversationKey);
  }
}

// On a touch screen the focus would bring up the keyboard unasked.
export function focusComposer() {
  if (matchMedia("(hover: hover)").matches) {
    byId("message").focus();
  }
}

export function focusHeading() {
  const heading = document.querySelector("main h1");
  if (heading) {
    heading.focus({ preventScroll: true });
    scrollTo({ top: 0 });
  }
}

// Another view is shown: a conversation at its end, anything else at its beginning.
export function shown() {
  stick = byId("log").checkVisibility();
  if (stick) {
    toBottom();
  } else {
    scrollTo({ top: 0 });
  }
}

export async function drawTrend(id, series) {
  const { draw } = await import("./trend.js");
  draw(byId(id), series, isDark());
}

export function attach(self) {
  page = self;
  byId("message").addEventListener("input", grow);
  byId("composer").addEventListener("submit", e => {
    e.preventDefault();
    send();
    byId("message").focus();
  });
  document.addEventListener("keydown", onKey);
  addEventListener("scroll", () => { stick = byId("log").checkVisibility() && atBottom(); }, { passive: true });
  new MutationObserver(() => { if (stick) toBottom(); }).observe(byId("log"), { childList: true, subtree: true, characterData: true });
  new MutationObserver(onConnection).observe(byId("components-reconnect-modal"), { attributes: true, attributeFilter: ["class"] });
  focusComposer();
  return sessionStorage.getItem(conversationKey);
}
