// Between a worker's pages and the network: the network's answer where there is one in time, else the page as it was kept.
{
  const OWNER = "gatehouse-field", PREFIX = "gatehouse-field-", SLOW_MS = 4000;

  const cache = async () => {
    if (!(await caches.has(OWNER))) return null; // to open it would make it
    const owner = await (await caches.open(OWNER)).match("/owner");
    return owner ? caches.open(PREFIX + await owner.text()) : null;
  };
  const kept = async (request) => {
    const found = await cache();
    return found?.match(new URL(request.url).pathname);
  };
  const page = async (request) => {
    const copy = await kept(request);
    if (!copy) return fetch(request);
    const late = new Promise((done) => setTimeout(() => done(copy), SLOW_MS));
    const asked = fetch(request).then((answer) => answer.status >= 500 ? copy : answer, () => copy);
    return Promise.race([asked, late]);
  };
  // Named after their content: what was kept is what would come.
  const file = async (request) => (await kept(request)) ?? fetch(request);

  addEventListener("install", () => skipWaiting());
  addEventListener("activate", (event) => event.waitUntil(clients.claim()));
  addEventListener("fetch", (event) => {
    const { request } = event;
    const { pathname, origin } = new URL(request.url);
    if (origin !== location.origin) return;
    // Whoever signs in or out may be somebody else: nothing is shown until a page of theirs says who reads.
    if (request.method === "POST" && /^\/sign-(in|out)/.test(pathname)) return void event.waitUntil(caches.delete(OWNER));
    if (request.method !== "GET") return;
    if (request.mode === "navigate") event.respondWith(page(request));
    else if (pathname.startsWith("/static/")) event.respondWith(file(request));
  });
}
