// Applies the theme that the user chose earlier, before the first paint.
try {
  const theme = JSON.parse(localStorage.getItem('rendio.theme'));
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
} catch {
  // The storage is not allowed: the system's theme applies.
}
