// Applies the viewer's choice of theme before the first paint; `frontend/src/theme.rs` changes it.
try {
  const theme = localStorage.getItem("fleetglass-theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
} catch {
  // The store is forbidden here: the theme follows the system.
}
