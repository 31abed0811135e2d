// Starts the WebAssembly app. A file of its own, because the content security policy forbids inline
// scripts; trunk writes the hashed names into the page (`pattern_script` in Trunk.toml).
const { js, wasm } = document.querySelector("meta[name=fleetglass-app]").dataset;
try {
  const { default: start } = await import(js);
  await start({ module_or_path: wasm });
} catch (error) {
  console.error(error);
  const notice = document.getElementById("boot-notice");
  if (notice) {
    const title = Object.assign(document.createElement("p"), {
      className: "notice-title",
      textContent: "The dashboard could not start",
    });
    const detail = Object.assign(document.createElement("p"), {
      className: "notice-detail",
      textContent: typeof WebAssembly === "object"
        ? `Reload the page. If that does not help, check that Fleetglass runs. (${error.message})`
        : "This browser does not support WebAssembly, or it is switched off. Use a newer one.",
    });
    const box = Object.assign(document.createElement("div"), { className: "notice notice-failed", role: "alert" });
    box.append(title, detail);
    notice.replaceChildren(box);
  }
}
