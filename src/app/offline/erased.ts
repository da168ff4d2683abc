/** Told to the service worker before its caches are deleted: it answers the tabs that are open, and keeps nothing more. */
export const ERASED = 'sotto-erased'
