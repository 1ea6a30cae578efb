// Work without a network: every form marked data-keep is kept in the telephone first, and leaves it once it is done.
{
  const RETRY_MS = 15000, NOTICE_MS = 10000, LONGEST_MS = 120000, KEY_BYTES = 18, SAID = "gatehouse-said";
  const store = window.gatehouseKept;
  const panel = document.getElementById("kept");
  const person = panel.dataset.person;
  const channel = "BroadcastChannel" in window ? new BroadcastChannel("gatehouse-field") : null;
  const part = (name) => document.getElementById(`kept-${name}`);
  const copy = (name) => part(name).content.firstElementChild.cloneNode(true);
  const clock = (at) => new Date(at).toLocaleTimeString("zh-CN", {
    hour: "2-digit", minute: "2-digit", hour12: false, timeZone: document.documentElement.dataset.zone,
  });
  const mine = async () => (await store.all()).filter((act) => act.person === person);
  const newKey = () => {
    const bytes = crypto.getRandomValues(new Uint8Array(KEY_BYTES));
    return btoa(String.fromCharCode(...bytes)).replace(/\+/g, "-").replace(/\//g, "_");
  };

  // Showing: all that is kept in one list, and each act also in the place of its form.
  const stateOf = (act) => (act.state === "waits" ? panel.dataset.waits : panel.dataset.refused).replace("{time}", clock(act.at));
  const line = (act) => {
    const item = copy("act");
    const set = (name, text) => { item.querySelector(`[data-${name}]`).textContent = text; };
    set("words", act.words);
    set("state", stateOf(act));
    set("reason", act.reason ?? "");
    item.classList.toggle("is-refused", act.state !== "waits");
    item.querySelector("[data-acts]").hidden = act.state === "waits";
    item.querySelector("[data-page]").href = act.page;
    item.querySelector("[data-again]").onclick = () => again(act);
    item.querySelector("[data-discard]").onclick = () => discard(act);
    return item;
  };
  const addressOf = (form) => new URL(form.getAttribute("action"), location.href).pathname;
  const isOf = (act, form) => act.path === addressOf(form) && act.words === form.dataset.keep;
  const formsOf = (act) => [...document.querySelectorAll("form[data-keep]")].filter((form) => isOf(act, form));
  const mark = (form, act) => {
    const known = form.previousElementSibling?.matches("[data-kept-note]") ? form.previousElementSibling : null;
    form.hidden = Boolean(act) && !("many" in form.dataset);
    if (!act) return known?.remove();
    const note = known ?? copy("note");
    const words = stateOf(act);
    if (note.lastElementChild.textContent !== words) note.lastElementChild.textContent = words;
    if (!known) form.insertAdjacentElement("beforebegin", note); // a visit's form has a field "before", which hides the method
  };
  const draw = async () => {
    const acts = await mine();
    panel.hidden = !acts.length;
    panel.querySelector("ul").replaceChildren(...acts.map(line));
    document.querySelectorAll("form[data-keep]").forEach((form) => mark(form, acts.filter((act) => isOf(act, form)).pop()));
    // What follows on an act that waits can be done too: nobody draws this page anew without a network.
    const goesOn = acts.some((act) => act.page === location.pathname && act.state === "waits");
    document.querySelectorAll("[data-later]").forEach((later) => { later.hidden = !goesOn; });
  };
  const changed = () => {
    channel?.postMessage("changed");
    return draw();
  };
  const again = async (act) => {
    await store.put({ ...act, state: "waits", reason: "" });
    await changed();
    send();
  };
  const discard = async (act) => {
    await store.remove(act.id);
    await changed();
  };

  // Sending: in the order in which things were done, one after the other, by one tab at a time. The key makes a second
  // sending harmless; where there are no locks, it is all that does.
  const alone = (work) => navigator.locks ? navigator.locks.request("gatehouse-field", work) : work();
  const ask = (address, options) => {
    const stop = new AbortController();
    const late = setTimeout(() => stop.abort(), LONGEST_MS);
    return fetch(address, { ...options, signal: stop.signal }).finally(() => clearTimeout(late));
  };
  const token = async () => {
    const answer = await ask("/day/ready", { headers: { Accept: "application/json" }, cache: "no-store" });
    part("sign-in").hidden = answer.status !== 401;
    if (!answer.ok) return null;
    const ready = await answer.json();
    if (ready.person === person) return ready.token;
    location.reload(); // somebody else signed in meanwhile, in another tab
    return null;
  };
  const reasonIn = (text) => {
    const drawn = new DOMParser().parseFromString(text, "text/html");
    const said = [...drawn.querySelectorAll(".form-error, .field-error, .notice.is-wrong > span")].map((each) => each.textContent.trim());
    return [...new Set(said)].join(" ") || panel.dataset.unknown;
  };
  // "later" when nobody can tell whether it arrived, or the server can't take it now.
  const post = async (act, secret) => {
    const body = new FormData();
    act.fields.forEach(([name, value]) => body.append(name, value));
    const headers = {
      "X-CSRF-Token": secret, "Idempotency-Key": act.key, "HX-Request": "true",
      // Both by this telephone's clock, which may be wrong: how long the act waited is right all the same.
      "X-Pressed-At": new Date(act.at).toISOString(), "X-Sent-At": new Date().toISOString(),
    };
    const answer = await ask(act.path, { method: "POST", body, headers });
    const text = await answer.text();
    if (answer.ok) return { is: "done", then: answer.headers.get("HX-Redirect") ?? answer.headers.get("X-Then"), text };
    if ([401, 429, 502, 503, 504].includes(answer.status)) return { is: "later" };
    return { is: "refused", reason: reasonIn(text), text };
  };
  // `own` was just sent by the hand that is on the form: it learns what became of it; what is refused `atForm` stays
  // there to be mended, all else in the list until somebody decides.
  const sendAll = async (own, atForm) => {
    const secret = await token();
    if (!secret) return null;
    let outcome = null;
    for (const act of (await mine()).filter((each) => each.state === "waits")) {
      const ended = await post(act, secret);
      if (ended.is === "later") break;
      if (ended.is === "done") formsOf(act).forEach((form) => form.reset());
      if (ended.is === "done" || (act.id === own && atForm)) await store.remove(act.id);
      else await store.put({ ...act, state: "refused", reason: ended.reason });
      if (act.id === own) outcome = ended;
      await changed();
    }
    return outcome;
  };
  const send = async (own = null, atForm = false) => {
    if (!(await mine()).some((act) => act.state === "waits")) return null;
    try {
      return await alone(() => sendAll(own, atForm));
    } catch {
      return null; // no network, or it went away meanwhile
    }
  };

  // A form that is sent: kept, tried at once, and what became of it said in its place.
  const isTooLarge = (form) => [...form.querySelectorAll("[data-upload] input")].some((input) => (
    [...input.files].some((file) => file.size > input.closest("[data-upload]").dataset.most * 1048576)
  ));
  const actOf = (form, pressed) => {
    const fields = [...new FormData(form)].filter(([name, value]) => name !== "csrf" && !(value instanceof File && !value.name));
    if (pressed?.name) fields.push([pressed.name, pressed.value]);
    return {
      person, key: newKey(), path: addressOf(form), words: form.dataset.keep, page: location.pathname, at: new Date().toISOString(), state: "waits", fields,
    };
  };
  const complain = (form, reason) => {
    const words = copy("wrong");
    words.lastElementChild.textContent = reason;
    form.querySelectorAll("[data-kept-wrong]").forEach((old) => old.remove());
    form.prepend(words);
    words.scrollIntoView({ block: "nearest" });
  };
  const said = (text) => new DOMParser().parseFromString(text, "text/html").querySelector(".notice > span")?.textContent ?? "";
  const tell = (words) => {
    const notice = copy("said");
    notice.firstElementChild.textContent = words;
    if (words) document.getElementById("notices").replaceChildren(notice);
    setTimeout(() => notice.remove(), NOTICE_MS);
  };
  const rest = (form) => {
    delete form.dataset.busy;
    form.querySelectorAll(".is-busy").forEach((button) => button.classList.remove("is-busy"));
  };
  let isLeaving = false;
  addEventListener("beforeunload", () => { isLeaving = true; });
  const keep = async (form, pressed) => {
    const act = actOf(form, pressed);
    const isFilledIn = Boolean(form.querySelector("input:not([type=hidden]), select, textarea"));
    try {
      act.id = await store.put(act);
    } catch {
      rest(form);
      return complain(form, panel.dataset.full);
    }
    form.querySelectorAll("[data-kept-wrong]").forEach((old) => old.remove());
    await changed();
    const ended = await send(act.id, isFilledIn);
    rest(form);
    if (ended?.is === "refused") return isFilledIn ? complain(form, ended.reason) : null;
    if ("many" in form.dataset) form.reset(); // for the next one
    if (ended?.is !== "done" || isLeaving) return null;
    if (ended.then && ended.then !== location.pathname) {
      sessionStorage.setItem(SAID, said(ended.text));
      return location.assign(ended.then);
    }
    form.reset();
    tell(said(ended.text));
    return window.gatehousePages.refresh();
  };
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!form.matches("form[data-keep]") || event.defaultPrevented) return;
    event.preventDefault();
    if (isTooLarge(form) || !form.reportValidity()) return rest(form);
    keep(form, event.submitter);
  });

  // Leaving: nobody who signs in after this person finds what is kept; what is not sent is asked about first.
  const leave = async (form) => {
    await window.gatehousePages.forget();
    form.submit();
  };
  document.addEventListener("submit", async (event) => {
    const form = event.target;
    if (form.getAttribute("action") !== "/sign-out" || event.defaultPrevented) return;
    event.preventDefault();
    rest(form);
    if (!(await mine()).length) return leave(form);
    part("leave").querySelector("[data-leave]").onclick = () => leave(form);
    part("leave").querySelector("[data-leave-nothing]").onclick = async () => {
      for (const act of await mine()) await store.remove(act.id);
      leave(form);
    };
    part("leave").showModal();
  });

  const resume = async () => {
    const waiting = async () => (await mine()).filter((act) => act.state === "waits").length;
    const before = await waiting();
    await send();
    if (await waiting() < before) await window.gatehousePages.refresh();
  };
  tell(sessionStorage.getItem(SAID)); // what was done on the page before
  sessionStorage.removeItem(SAID);
  if (channel) channel.onmessage = draw;
  for (const kind of ["htmx:afterSettle", "gatehouse:settled"]) document.addEventListener(kind, draw);
  document.addEventListener("visibilitychange", () => { if (!document.hidden) resume(); });
  addEventListener("online", resume);
  setInterval(resume, RETRY_MS);
  draw().then(resume);
}
