// Keeps an open page as it is on the server. Without it the page reloads itself now and then, or not at all.
"use strict";

const live = document.getElementById("live");
const signal = document.getElementById("signal");
let asking = false;
let again = false;

function say(word) {
  signal.textContent = word;
  signal.dataset.signal = word;
}

function reading() {
  const selection = document.getSelection();
  return !selection.isCollapsed && live.contains(selection.anchorNode);
}

async function refresh() {
  if (document.hidden || asking) {
    again = true;
    return;
  }
  asking = true;
  again = false;
  try {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
    if (answer.ok) show(new DOMParser().parseFromString(await answer.text(), "text/html"));
  } catch {
    again = true; // the stream says when the server is back
  } finally {
    asking = false;
  }
}

function show(fresh) {
  const focused = live.contains(document.activeElement) ? document.activeElement.id : "";
  const open = [...live.querySelectorAll("details[open][id]")].map((one) => one.id);
  live.replaceChildren(...fresh.getElementById("live").childNodes);
  for (const id of open) document.getElementById(id)?.setAttribute("open", "");
  if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
  document.getElementById("now").replaceWith(fresh.getElementById("now"));
  document.title = fresh.title;
}

if (live) {
  const stream = new EventSource("/events");
  stream.addEventListener("open", () => {
    say("live");
    if (again) refresh();
  });
  stream.addEventListener("error", () => {
    say("reconnecting");
    again = true;
  });
  stream.addEventListener("change", refresh);
  stream.addEventListener("tick", () => {
    if (!reading()) refresh();
  });
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden && again) refresh();
  });
}
