// A canvas that is signed with finger, pen or mouse becomes a picture in the form's file field.
(() => {
  const begin = (field) => {
    const canvas = field.querySelector("canvas");
    const file = field.querySelector("input[type=file]");
    const pen = canvas.getContext("2d");
    let isDown = false;
    const blank = () => {
      pen.fillStyle = "#ffffff";
      pen.fillRect(0, 0, canvas.width, canvas.height);
      pen.strokeStyle = "#1f2328";
      pen.lineWidth = 3;
      pen.lineCap = "round";
      file.value = "";
      delete field.dataset.signed;
    };
    const at = (event) => {
      const box = canvas.getBoundingClientRect();
      return [((event.clientX - box.left) * canvas.width) / box.width, ((event.clientY - box.top) * canvas.height) / box.height];
    };
    const keep = () => {
      isDown = false;
      canvas.toBlob((blob) => {
        const held = new DataTransfer();
        held.items.add(new File([blob], "signature.png", { type: "image/png" }));
        file.files = held.files;
        field.dataset.signed = "";
      }, "image/png");
    };
    canvas.addEventListener("pointerdown", (event) => {
      isDown = true;
      canvas.setPointerCapture(event.pointerId);
      pen.beginPath();
      pen.moveTo(...at(event));
      event.preventDefault();
    });
    canvas.addEventListener("pointermove", (event) => {
      if (!isDown) return;
      pen.lineTo(...at(event));
      pen.stroke();
    });
    canvas.addEventListener("pointerup", keep);
    canvas.addEventListener("pointercancel", keep);
    field.querySelector("[data-clear]").addEventListener("click", blank);
    field.closest("form").addEventListener("reset", blank);
    blank();
    field.hidden = false;
  };
  document.querySelectorAll("[data-signature]").forEach(begin);
})();
