// Applies the chosen theme before the first paint; a module would come too late and flash.
try {
  document.documentElement.dataset.theme = JSON.parse(localStorage.getItem('sotto.settings') || '{}').theme || 'auto'
} catch {
  document.documentElement.dataset.theme = 'auto'
}
