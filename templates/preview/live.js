// Keeps an open page at the newest generation of the files: its panels are exchanged, its frame is told to reload.

const page = document.body.dataset;

async function renew() {
  const answer = await fetch(location.href);
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  const sameShape = Boolean(fresh.querySelector("iframe")) === Boolean(document.querySelector("iframe"));
  const panels = [...document.querySelectorAll(".live")].map((old) => [old, fresh.getElementById(old.id)]);
  if (!answer.ok || !sameShape || panels.some(([, next]) => !next)) {
    location.reload();
    return;
  }
  for (const [old, next] of panels) old.replaceWith(next);
  document.title = fresh.title;
  document.querySelector("h1").replaceWith(fresh.querySelector("h1"));
  page.generation = fresh.body.dataset.generation;
  document.querySelector("iframe")?.contentWindow.postMessage("changed", "*");
}

let work = Promise.resolve();
new EventSource(page.feed).addEventListener("message", ({ data }) => {
  work = work.then(() => (Number(data) > Number(page.generation) ? renew() : undefined)).catch(console.error);
});
