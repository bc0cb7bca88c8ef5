// The theme that was chosen here, before anything is drawn.
try {
  const theme = JSON.parse(localStorage.getItem('rendio.theme'));
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
} catch {
  // Storage is forbidden: the system decides.
}
