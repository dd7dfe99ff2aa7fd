// A page that says nothing about where one came from.

function show() {
  const now = new Date();
  document.getElementById("time").textContent = now.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  document.getElementById("date").textContent = now.toLocaleDateString([], { year: "numeric", month: "long", day: "numeric", weekday: "long" });
}

show();
setInterval(show, 1000);
