// What every page does beyond links and forms: tokens, busy buttons, dialogs, notices, selection.
{
  const page = document.documentElement;
  const within = (event, selector) => event.target instanceof Element && event.target.closest(selector);

  document.addEventListener("htmx:configRequest", (event) => {
    event.detail.headers["X-CSRF-Token"] = document.querySelector('meta[name="csrf"]').content;
  });

  // An error's sentence is swapped where the server says; an answer of a proxy between us has no such header.
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (event.detail.xhr.getResponseHeader("HX-Retarget")) event.detail.shouldSwap = true;
  });
  document.addEventListener("htmx:sendError", () => {
    const notices = document.getElementById("notices");
    notices.replaceChildren(document.getElementById("unreachable").content.cloneNode(true));
  });

  // What a person did to a live part (ticked, unfolded, typed) outlasts its update.
  Idiomorph.defaults.callbacks.beforeNodeMorphed = (old, fresh) => {
    if (old instanceof HTMLDetailsElement) fresh.open = old.open;
    if (old instanceof HTMLTableRowElement && old.matches(".is-current")) fresh.classList.add("is-current");
    if (old instanceof HTMLDialogElement && old.open) return false;
    if (old instanceof HTMLInputElement && old.type === "checkbox") fresh.toggleAttribute("checked", old.checked);
    else if ("defaultValue" in old && old.value !== old.defaultValue) return false;
    if (old instanceof HTMLSelectElement) {
      const drawn = [...old.options].find((option) => option.defaultSelected) ?? old.options[0];
      if (old.selectedOptions[0] !== drawn) return false;
    }
    return !(old instanceof Element && old.matches("[data-keep]:not(form)"));
  };

  // When what held the focus is gone after an update, it goes to the same row; a hand that left by itself stays away.
  let place = null;
  const rowOf = (element) => element.closest?.("[data-row]")?.id ?? null;
  document.addEventListener("focusin", (event) => { place = rowOf(event.target); });
  document.addEventListener("focusout", (event) => setTimeout(() => {
    if (event.target.isConnected && document.activeElement === document.body) place = null;
  }));
  const refocus = () => {
    const row = place && document.activeElement === document.body && document.getElementById(place);
    if (row) (row.querySelector("a[data-open]") ?? row).focus({ preventScroll: true });
  };
  for (const kind of ["htmx:afterSettle", "gatehouse:settled"]) document.addEventListener(kind, refocus);

  // Never two submits: after 100 ms a pressed button shows that it works, and at once it takes no second press.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.dataset.busy) return event.preventDefault();
    if (form.method.toLowerCase() !== "post") return;
    form.dataset.busy = "now";
    setTimeout(() => { if (form.dataset.busy) event.submitter?.classList.add("is-busy"); }, 100);
  });
  const rest = (form) => {
    delete form.dataset.busy;
    form.querySelectorAll(".is-busy").forEach((button) => button.classList.remove("is-busy"));
  };
  document.addEventListener("htmx:afterRequest", () => document.querySelectorAll("form[data-busy]").forEach(rest));
  addEventListener("pageshow", () => document.querySelectorAll("form[data-busy]").forEach(rest));

  document.addEventListener("click", (event) => {
    const opener = within(event, "[data-dialog]");
    const dialog = opener && document.getElementById(opener.dataset.dialog);
    if (dialog) {
      event.preventDefault();
      dialog.showModal();
    }
    const closer = within(event, "[data-close]");
    if (closer) (closer.closest("dialog")?.close(), closer.closest("[data-notice]")?.remove());
    document.querySelectorAll("details[data-menu][open]").forEach((menu) => {
      if (!menu.contains(event.target)) menu.open = false;
    });
    const row = within(event, "tr[data-href]");
    if (row && !within(event, "a, button, input, label, select, summary, [data-inert]") && !String(getSelection())) {
      row.querySelector("a[data-open]").click();
    }
  });

  // Undo is offered for as long as the server promises, then the sentence goes.
  const retire = (notice) => {
    if (notice.dataset.expires) setTimeout(() => notice.remove(), 1000 * notice.dataset.expires);
  };
  document.querySelectorAll("[data-notice]").forEach(retire);
  document.addEventListener("htmx:afterSwap", (event) => {
    event.target.querySelectorAll("[data-notice]").forEach(retire);
  });

  // Choices that act at once where there is JavaScript; without it a button beside them sends the form.
  document.addEventListener("change", (event) => {
    const list = within(event, "[data-select]");
    if (within(event, "[data-submit]")) event.target.form.requestSubmit();
    if (!list) return;
    if (event.target.matches("[data-all]")) {
      list.querySelectorAll("[data-pick]").forEach((box) => { box.checked = event.target.checked; });
    }
    const picked = list.querySelectorAll("[data-pick]:checked").length;
    list.toggleAttribute("data-picked", picked > 0);
    list.querySelectorAll("[data-count]").forEach((count) => { count.textContent = picked; });
  });

  page.dataset.scripts = "on";
}
