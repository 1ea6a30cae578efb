// A report outlasts a missing network: it is kept in the telephone as it is typed, and sent once there is one.
{
  const KEY = "gatehouse-report";
  const form = document.getElementById("report");
  const waiting = document.getElementById("draft-waiting");
  const load = () => {
    try {
      return JSON.parse(localStorage.getItem(KEY)) ?? {};
    } catch {
      return {};
    }
  };
  const save = (draft) => {
    try {
      localStorage.setItem(KEY, JSON.stringify(draft));
      return true;
    } catch {
      return false; // full, or switched off
    }
  };
  const forget = () => { try { localStorage.removeItem(KEY); } catch { /* there is none */ } };
  if (waiting) waiting.hidden = !load().waits;

  if (form) {
    const said = document.getElementById("draft");
    const input = form.elements.photos;
    const tell = (words) => { said.textContent = words; said.hidden = !words; };
    const text = (file) => new Promise((done, failed) => {
      const reader = new FileReader();
      reader.onload = () => done({ name: file.name, type: file.type, data: reader.result.split(",")[1] });
      reader.onerror = failed;
      reader.readAsDataURL(file);
    });
    const file = ({ name, type, data }) => {
      const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
      return new File([bytes], name, { type });
    };
    const words = () => ({ key: form.elements.key.value, where: form.elements.where.value, text: form.elements.text.value });
    let waits = false, isSent = false;
    const keep = async () => {
      const photos = await Promise.all([...input.files].map(text));
      if (isSent) return true;
      // Whether it waits is what holds by now: photos take their time, and somebody may have sent it meanwhile.
      if (save({ ...words(), photos, waits })) return true;
      save({ ...words(), photos: [], waits });
      return false;
    };
    const send = async () => {
      if (form.dataset.sending) return;
      form.dataset.sending = "now";
      waits = true;
      const isWhole = await keep();
      try {
        const answer = await fetch(form.action, { method: "POST", body: new FormData(form), headers: { Accept: "text/html" } });
        if (answer.redirected) {
          isSent = true;
          forget();
          location.assign(answer.url);
          return;
        }
        waits = false;
        await keep();
        form.submit(); // what is to be mended is drawn by the server, at its fields
      } catch {
        delete form.dataset.sending;
        delete form.dataset.busy;
        form.querySelectorAll(".is-busy").forEach((button) => button.classList.remove("is-busy"));
        tell(isWhole ? said.dataset.waits : said.dataset.wordsOnly);
      }
    };

    const draft = load();
    if (draft.key && !form.querySelector("[aria-invalid]")) {
      form.elements.key.value = draft.key;
      form.elements.text.value = draft.text ?? "";
      if ([...form.elements.where.options].some((option) => option.value === draft.where)) form.elements.where.value = draft.where;
      if (draft.photos?.length) {
        const basket = new DataTransfer();
        draft.photos.map(file).forEach((photo) => basket.items.add(photo));
        input.files = basket.files;
      }
      tell(draft.waits ? said.dataset.waits : said.dataset.kept);
    }
    form.addEventListener("input", () => {
      waits = false;
      keep();
    });
    form.addEventListener("gatehouse:chosen", keep); // drawn anew, some time after they were chosen
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      send();
    });
    addEventListener("online", () => { if (load().waits) send(); });
    if (draft.waits && navigator.onLine) send();
  }
}
