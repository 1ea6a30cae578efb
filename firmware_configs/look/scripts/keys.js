// Keys for staff: rows by J and K, what a row or the page offers by its letter, pages by G and a letter, ? for all.
{
  const page = document.documentElement;
  const isTyping = (target) => target.matches?.("input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable]");
  const rows = () => [...document.querySelectorAll("[data-row]")].filter((row) => row.offsetParent !== null);
  const current = () => document.activeElement?.closest?.("[data-row]") ?? document.querySelector("[data-row].is-current");
  let leading = false;

  const move = (step) => {
    const all = rows();
    if (!all.length) return false;
    const at = all.indexOf(current());
    const next = all[at < 0 ? 0 : Math.min(Math.max(at + step, 0), all.length - 1)];
    all.forEach((row) => row.classList.toggle("is-current", row === next));
    (next.querySelector("a[data-open]") ?? next).focus();
    next.scrollIntoView({ block: "nearest" });
    return true;
  };
  const press = (element) => {
    if (!element || element.disabled) return false;
    if (element.matches("input:not([type=checkbox]):not([type=radio]), select, textarea")) element.focus();
    else element.click();
    return true;
  };
  // A row's own offer comes before the page's, so that A on a list means the row under the hand.
  const offer = (name) => {
    const dialog = document.querySelector("dialog[open]");
    const fits = (scope) => scope && [...scope.querySelectorAll("[data-key]")].find((element) => element.dataset.key === name);
    return dialog ? fits(dialog) : fits(current()) ?? [...document.querySelectorAll("[data-key]")].find(
      (element) => element.dataset.key === name && !element.closest("[data-row]"),
    );
  };
  const back = () => {
    const menu = document.querySelector("details[data-menu][open]");
    if (menu) {
      menu.open = false;
      menu.querySelector("summary").focus();
      return true;
    }
    return press(document.querySelector("[data-back]"));
  };
  const act = (event) => {
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    if (leading) {
      leading = false;
      return press(document.querySelector(`a[data-go="${CSS.escape(key)}"]`));
    }
    switch (key) {
      case "j": case "ArrowDown": return move(1);
      case "k": case "ArrowUp": return move(-1);
      case "g": leading = true; setTimeout(() => { leading = false; }, 1500); return true;
      case "/": return press(document.querySelector("[data-search]"));
      case "?": return press(document.querySelector('[data-dialog="keys"]'));
      case "x": return press(current()?.querySelector("[data-pick]"));
      case "Escape": return back();
      default: return press(offer(event.shiftKey && /^[a-z]$/.test(key) ? `Shift+${key.toUpperCase()}` : key));
    }
  };
  document.addEventListener("keydown", (event) => {
    if (page.dataset.keys === "off" || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (isTyping(event.target)) {
      if (event.key === "Escape") event.target.blur();
      return;
    }
    if (document.querySelector("dialog[open]") && ["Escape", "Enter", "Tab"].includes(event.key)) return;
    if (event.target.matches?.("[role=slider], summary") && event.key.startsWith("Arrow")) return;
    if (act(event)) event.preventDefault();
  });
}
