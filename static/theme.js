// What cannot wait for the app: the viewer's choice of theme, before the first paint (`frontend/src/theme.rs` changes
// it), how large they have text (`frontend/src/components/media.rs` reads it), and the browser's offer to install, which it makes once and early (`keep.js` takes it up).
try {
  const theme = localStorage.getItem("fleetglass-theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
} catch {
  // The store is forbidden here: the theme follows the system.
}
globalThis.fleetglassText = parseFloat(getComputedStyle(document.documentElement).fontSize) / 16;
addEventListener("beforeinstallprompt", (event) => {
  event.preventDefault();
  globalThis.fleetglassOffer = event;
  dispatchEvent(new Event("fleetglass-offer"));
});
