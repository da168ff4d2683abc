/** Names this protection in listings, on the command line and in a page's configuration. */
export const VEILED = 'veiled'
