// The day and its jobs, kept for reading without a network; the worker script answers with them when nobody else does.
{
  const PREFIX = "gatehouse-field-", OWNER = "gatehouse-field", OLD_MS = 600000, MOST = 200;
  const person = document.getElementById("kept").dataset.person;
  const mark = document.getElementById("kept-as-of");
  const body = document.body;
  const works = "caches" in window && "serviceWorker" in navigator;

  let keeping = null, isLeaving = false;
  const forget = async () => {
    if (!works) return;
    isLeaving = true;
    await keeping; // what it still writes goes too
    for (const name of await caches.keys()) if (name.startsWith(OWNER)) await caches.delete(name);
  };
  // Whoever reads now is the one for whom pages are kept; another's go.
  const begin = async () => {
    for (const name of await caches.keys()) {
      if (name.startsWith(PREFIX) && name !== PREFIX + person) await caches.delete(name);
    }
    await (await caches.open(OWNER)).put("/owner", new Response(person));
    return caches.open(PREFIX + person);
  };
  const links = (page) => [...page.querySelectorAll("a[data-keep-page]")].map((link) => ({
    path: link.getAttribute("href").split("#")[0], version: link.dataset.keepPage,
  }));
  const isFresh = (kept, version) => (
    kept?.headers.get("X-Version") === version && Date.now() - kept.headers.get("X-Kept-At") < OLD_MS
  );
  const fetched = async (cache, { path, version }) => {
    const kept = await cache.match(path);
    if (version && isFresh(kept, version)) return kept.text();
    const answer = await fetch(path, { headers: { Accept: "text/html" } });
    if (answer.status === 404 || answer.status === 403) await cache.delete(path);
    if (!answer.ok || answer.redirected) return "";
    const text = await answer.text(), now = String(Date.now());
    const headers = {
      "Content-Type": "text/html; charset=utf-8", "X-Version": version ?? "", "X-Kept-At": now,
      "Content-Security-Policy": answer.headers.get("Content-Security-Policy"),
    };
    await cache.put(path, new Response(text.replace("<body ", `<body data-kept-at="${now}" `), { headers }));
    return text;
  };
  const files = (page) => [
    ...[...page.querySelectorAll("link[rel=stylesheet]")].map((each) => each.href),
    ...[...page.querySelectorAll("script[src]")].map((each) => each.src),
    ...[...page.querySelectorAll("svg use")].map((each) => new URL(each.getAttribute("href"), location.href).href.split("#")[0]),
  ];
  const keepAll = async () => {
    const cache = await begin();
    for (const file of new Set(files(document))) if (!(await cache.match(file))) await cache.add(file);
    const waiting = [{ path: "/day" }, ...links(document)], seen = new Set();
    while (waiting.length && seen.size < MOST && !isLeaving) {
      const next = waiting.shift();
      if (seen.has(next.path)) continue;
      seen.add(next.path);
      const page = new DOMParser().parseFromString(await fetched(cache, next), "text/html");
      waiting.push(...links(page));
    }
    if (isLeaving) return;
    body.dataset.pages = "kept";
    if (waiting.length) return;
    for (const request of await cache.keys()) {
      const { pathname } = new URL(request.url);
      if (!pathname.startsWith("/static/") && !seen.has(pathname)) await cache.delete(request);
    }
  };

  const keep = () => {
    if (!isLeaving && !keeping) keeping = keepAll().catch(() => null).finally(() => { keeping = null; });
  };
  // The page as it is after an act, in place: what is typed meanwhile in another form of it stays.
  const refresh = async () => {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" } }).catch(() => null);
    if (!answer) return;
    if (!answer.ok || answer.redirected) return void location.assign(answer.redirected ? answer.url : "/day");
    const drawn = new DOMParser().parseFromString(await answer.text(), "text/html");
    const main = document.getElementById("main");
    delete body.dataset.keptAt;
    Idiomorph.morph(main, drawn.getElementById("main"), { morphStyle: "outerHTML" });
    htmx.process(main);
    document.dispatchEvent(new Event("gatehouse:settled"));
    if (works) keep();
  };

  window.gatehousePages = { forget, refresh };
  if (body.dataset.keptAt) {
    const at = new Date(Number(body.dataset.keptAt)).toLocaleString("zh-CN", {
      month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", hour12: false, timeZone: document.documentElement.dataset.zone,
    });
    mark.lastElementChild.textContent = mark.dataset.words.replace("{time}", at);
    mark.hidden = false;
  }
  if (works) {
    navigator.serviceWorker.register("/field-worker.js").catch(() => null);
    if (!body.dataset.keptAt) keep();
    document.addEventListener("htmx:afterSettle", keep);
  }
}
