// Photos leave the telephone small: 1600 pixels at most, drawn anew, which also leaves behind what the camera noted.
{
  const LONGEST_SIDE = 1600, QUALITY = 0.82, SMALL_BYTES = 300000;

  const read = (file) => new Promise((done, failed) => {
    const reader = new FileReader();
    reader.onload = () => done(reader.result);
    reader.onerror = failed;
    reader.readAsDataURL(file);
  });
  const picture = (address) => new Promise((done, failed) => {
    const image = new Image();
    image.onload = () => done(image);
    image.onerror = failed;
    image.src = address;
  });
  const shrunk = async (file) => {
    if (!file.type.startsWith("image/")) return file;
    const image = await picture(await read(file));
    const scale = Math.min(1, LONGEST_SIDE / Math.max(image.naturalWidth, image.naturalHeight));
    if (scale === 1 && file.size < SMALL_BYTES) return file;
    const canvas = document.createElement("canvas");
    canvas.width = Math.round(image.naturalWidth * scale);
    canvas.height = Math.round(image.naturalHeight * scale);
    canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
    const blob = await new Promise((done) => canvas.toBlob(done, "image/jpeg", QUALITY));
    return new File([blob], file.name.replace(/\.\w+$/, "") + ".jpg", { type: "image/jpeg" });
  };
  const say = (field, files) => {
    const size = (files.reduce((sum, file) => sum + file.size, 0) / 1048576).toFixed(1);
    const large = files.find((file) => file.size > field.dataset.most * 1048576);
    const words = large ? field.dataset.large.replace("{name}", large.name) : field.dataset.words.replace("{count}", files.length).replace("{size}", size);
    field.querySelector("[data-chosen]").textContent = files.length ? words : "";
  };

  document.addEventListener("change", async (event) => {
    const field = event.target.type === "file" && event.target.closest("[data-upload]");
    if (!field) return;
    const input = event.target;
    const chosen = [...input.files];
    // What this browser can't read goes as it is: the server looks at it anyway.
    const small = await Promise.all(chosen.map((file) => shrunk(file).catch(() => file)));
    if (small.some((file, index) => file !== chosen[index])) {
      const basket = new DataTransfer();
      small.forEach((file) => basket.items.add(file));
      input.files = basket.files;
    }
    say(field, small);
    input.dispatchEvent(new Event("gatehouse:chosen", { bubbles: true }));
  });
}
