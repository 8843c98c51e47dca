// The light that the reader chose last time, before anything is painted in another.
try {
  const theme = localStorage.getItem("gan-advisor-theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
} catch { /* where nothing may be remembered, the system decides */ }
