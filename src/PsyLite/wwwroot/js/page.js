// What works from the first moment and without the server: leaving at once, the theme, the way past the bar.

const quickExitMs = 600;
const neutralPage = "/clock.html";
let lastEscape = -Infinity;

function keep(name, value) {
  document.cookie = `${name}=${value}; path=/; max-age=31536000; samesite=strict`;
}

function switchTheme() {
  const root = document.documentElement;
  const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
  keep("theme", root.dataset.theme);
}

// Hidden before anything else; replacing keeps the page out of the history of this tab.
function leave() {
  document.documentElement.hidden = true;
  document.title = "";
  sessionStorage.clear();
  location.replace(neutralPage);
}

document.addEventListener("keydown", e => {
  // While an input method composes, Escape is its own; 229 is what older browsers send then.
  if (e.key !== "Escape" || e.isComposing || e.keyCode === 229) {
    return;
  }
  if (e.timeStamp - lastEscape < quickExitMs) {
    leave();
  }
  lastEscape = e.timeStamp;
});

document.addEventListener("click", e => {
  const act = e.target.closest?.("[data-act]")?.dataset.act;
  if (act === "leave") {
    leave();
  } else if (act === "theme") {
    switchTheme();
  } else if (act === "skip") {
    e.preventDefault();
    const field = document.getElementById("message");
    (field.checkVisibility() ? field : document.querySelector("main h1"))?.focus();
  }
});
