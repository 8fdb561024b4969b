// Inside the frame, which shares nothing with the page around it: reload in place, open links from outside elsewhere.

const here = new URL(location.href);
if (here.searchParams.has("at")) {
  const settle = () => scrollTo(0, Number(here.searchParams.get("at")));
  settle();
  addEventListener("load", settle); // pictures have taken their room by then
}

addEventListener("message", (event) => {
  if (event.source !== parent) return;
  here.searchParams.set("at", Math.round(scrollY));
  location.replace(here);
});

addEventListener("click", (event) => {
  const link = event.target.closest?.("a[href]");
  if (!link || link.host === here.host) return;
  event.preventDefault();
  open(link.href, "_blank", "noopener");
});
