/** The profile's name, in manifests and wherever parties agree on one. */
export const ID = 'lowbit'
