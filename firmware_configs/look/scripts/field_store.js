// What a telephone keeps until it is sent, photos too: in the browser's database or, where that is missing, as text.
{
  const NAME = "gatehouse-field", ACTS = "acts";

  const opened = new Promise((done) => {
    try {
      const request = indexedDB.open(NAME, 1);
      request.onupgradeneeded = () => request.result.createObjectStore(ACTS, { keyPath: "id", autoIncrement: true });
      request.onsuccess = () => done(request.result);
      request.onerror = () => done(null);
    } catch {
      done(null); // switched off
    }
  });
  // Kept means written: a request that succeeded may still be lost with its transaction.
  const inDatabase = (database, mode, work) => new Promise((done, failed) => {
    const transaction = database.transaction(ACTS, mode);
    const request = work(transaction.objectStore(ACTS));
    transaction.oncomplete = () => done(request.result);
    transaction.onabort = transaction.onerror = () => failed(transaction.error);
  });

  const asText = (value) => value instanceof Blob ? new Promise((done, failed) => {
    const reader = new FileReader();
    reader.onload = () => done({ name: value.name, type: value.type, data: reader.result.split(",")[1] });
    reader.onerror = () => failed(reader.error);
    reader.readAsDataURL(value);
  }) : value;
  const fromText = (value) => {
    if (typeof value === "string") return value;
    const bytes = Uint8Array.from(atob(value.data), (letter) => letter.charCodeAt(0));
    return new File([bytes], value.name, { type: value.type });
  };
  const read = () => JSON.parse(localStorage.getItem(NAME) ?? "[]");
  const write = (acts) => localStorage.setItem(NAME, JSON.stringify(acts));
  const inText = {
    all: () => read().map((act) => ({ ...act, fields: act.fields.map(([name, value]) => [name, fromText(value)]) })),
    async put(act) {
      const fields = await Promise.all(act.fields.map(async ([name, value]) => [name, await asText(value)]));
      const others = read().filter((other) => other.id !== act.id);
      const id = act.id ?? 1 + Math.max(0, ...others.map((other) => other.id));
      write([...others, { ...act, id, fields }].sort((one, other) => one.id - other.id));
      return id;
    },
    remove: (id) => write(read().filter((act) => act.id !== id)),
  };

  window.gatehouseKept = {
    // All that is kept, in the order in which it was done, whoever did it.
    async all() {
      const database = await opened;
      return database ? inDatabase(database, "readonly", (acts) => acts.getAll()) : inText.all();
    },
    // Keep an act, or what has become of it; returns its id, fails when there is no room.
    async put(act) {
      const database = await opened;
      return database ? inDatabase(database, "readwrite", (acts) => acts.put(act)) : inText.put(act);
    },
    async remove(id) {
      const database = await opened;
      return database ? inDatabase(database, "readwrite", (acts) => acts.delete(id)) : inText.remove(id);
    },
  };
}
