// Runs before the page is painted: follows the device where neither a cookie nor the browser's hint told the server.
{
  const page = document.documentElement;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const follow = () => page.setAttribute("data-bs-theme", dark.matches ? "dark" : "light");
  if (page.dataset.theme === "auto") {
    follow();
    dark.addEventListener("change", follow);
  }
}
