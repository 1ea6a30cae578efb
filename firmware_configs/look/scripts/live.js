// News: one stream per browser, carried from the tab that holds it to all others; each page fetches its own parts.
{
  const SILENCE_MS = 20000, RETRY_MS = 1000, SLOWEST_MS = 30000, OFF_HAND_MS = 3000;
  const body = document.body;
  const known = new Map();
  body.dataset.versions?.split(" ").filter(Boolean).forEach((pair) => {
    const at = pair.lastIndexOf(":");
    known.set(pair.slice(0, at), pair.slice(at + 1));
  });
  const channel = "BroadcastChannel" in window ? new BroadcastChannel("gatehouse-live") : null;
  let heard = Date.now(), dead = false, tries = 0;

  const parts = (topic) => [...document.querySelectorAll("[data-live]")].filter(
    (part) => !topic || part.dataset.live.split(" ").includes(topic),
  );
  const tell = (topic) => parts(topic).forEach((part) => htmx.trigger(part, "news"));

  const hear = (message) => {
    heard = Date.now();
    if (body.dataset.lost) {
      delete body.dataset.lost;
      show(true);
      tell(null); // whatever happened meanwhile
    }
    if (message.kind === "ending") warn();
    if (message.kind !== "news") return;
    const [topic, version] = message.data.split(" ");
    if (known.get(topic) === version) return;
    known.set(topic, version);
    tell(topic);
  };

  // Any page that is fetched prolongs the session; the form that stands here is kept.
  const warn = () => {
    const notices = document.getElementById("notices");
    if (notices.querySelector("[data-stay]")) return;
    notices.replaceChildren(document.getElementById("ending").content.cloneNode(true));
    notices.querySelector("[data-stay]").onclick = async () => {
      const answer = await fetch("/me");
      if (!answer.redirected) notices.replaceChildren();
    };
  };
  const show = (live) => {
    const mark = document.getElementById("live");
    if (!mark || !parts(null).some((part) => part.id !== "bell")) return; // the bell alone is worth no alarm
    const at = new Date(heard).toLocaleTimeString("zh-CN", { hour: "2-digit", minute: "2-digit", hour12: false, timeZone: document.documentElement.dataset.zone });
    mark.textContent = live ? mark.dataset.on : mark.dataset.off.replace("{time}", at);
    mark.classList.toggle("is-off", !live);
  };
  setInterval(() => {
    if (Date.now() - heard <= SILENCE_MS || body.dataset.lost) return;
    body.dataset.lost = "now";
    show(false);
  }, 1000);

  const open = () => new Promise((lost) => {
    const source = new EventSource("/live");
    const pass = (kind) => (event) => {
      tries = 0;
      const message = { kind, data: event.data };
      hear(message);
      channel?.postMessage(message);
    };
    for (const kind of ["news", "beat", "ending"]) source.addEventListener(kind, pass(kind));
    const end = () => { source.close(); lost(); };
    source.addEventListener("ended", () => { dead = true; end(); });
    source.addEventListener("error", end);
    addEventListener("pagehide", end, { once: true });
  });
  const hold = async () => {
    while (!dead) {
      await open();
      // Spread, so that a server that comes back is not met by everybody at once.
      const pause = Math.min(RETRY_MS * 2 ** tries++, SLOWEST_MS);
      await new Promise((wake) => setTimeout(wake, pause * (0.5 + Math.random() / 2)));
    }
  };
  if (channel) channel.onmessage = (event) => hear(event.data);
  if (body.hasAttribute("data-versions")) {
    show(true);
    // Without locks or channels each tab holds a stream of its own.
    if (channel && navigator.locks) navigator.locks.request("gatehouse-live", hold);
    else hold();
  }

  // A list under the hand keeps still: known rows change in place, new ones wait in its strip until the hand is off,
  // or N is pressed.
  const waiting = new Map();
  const isUnderHand = (list) => list.matches(":hover") || list.contains(document.activeElement);
  const strip = (list) => document.getElementById(`${list.id}-strip`);
  const join = (list) => {
    const fresh = waiting.get(list.id);
    if (!fresh) return;
    waiting.delete(list.id);
    strip(list)?.replaceChildren();
    Idiomorph.morph(list, fresh, { morphStyle: "outerHTML" });
    htmx.process(document.getElementById(list.id));
    document.dispatchEvent(new Event("gatehouse:settled"));
  };
  const wait = (list, fresh) => {
    waiting.set(list.id, fresh);
    const rows = [...fresh.querySelectorAll("[data-row]")];
    for (const row of rows) {
      const here = document.getElementById(row.id);
      if (here) {
        Idiomorph.morph(here, row.cloneNode(true), { morphStyle: "outerHTML" });
        htmx.process(document.getElementById(row.id));
      }
    }
    for (const row of list.querySelectorAll("[data-row]")) {
      row.classList.toggle("is-stale", !rows.some((kept) => kept.id === row.id));
    }
    document.dispatchEvent(new Event("gatehouse:settled"));
    const added = rows.filter((row) => !document.getElementById(row.id));
    const place = strip(list);
    if (!added.length || !place) return place?.replaceChildren();
    const button = place.querySelector("button") ?? document.createElement("button");
    button.type = "button";
    button.className = "strip-button";
    button.dataset.key = "n";
    button.onclick = () => join(document.getElementById(list.id));
    button.textContent = `${place.dataset.words.replace("{count}", added.length)} ${added[0].dataset.summary ?? ""}`;
    place.replaceChildren(button);
  };
  document.addEventListener("htmx:beforeSwap", (event) => {
    const list = event.detail.target;
    const { xhr, requestConfig } = event.detail;
    if (!list.hasAttribute?.("data-hold") || xhr.status !== 200 || requestConfig.triggeringEvent?.type !== "news") return;
    if (!isUnderHand(list)) return void waiting.delete(list.id);
    const fresh = new DOMParser().parseFromString(xhr.responseText, "text/html").getElementById(list.id);
    if (!fresh) return;
    event.detail.shouldSwap = false;
    wait(list, fresh);
  });
  let off = null;
  const later = () => {
    clearTimeout(off);
    off = setTimeout(() => document.querySelectorAll("[data-hold]").forEach((list) => {
      if (!isUnderHand(list)) join(list);
    }), OFF_HAND_MS);
  };
  for (const kind of ["pointermove", "focusout"]) document.addEventListener(kind, later, { passive: true });
}
