/** Vectors of so many components that are mapped at once: as many as keep them within half a megabyte. */
export const lanesFor = (size: number): number => Math.max(4, Math.min(32, Math.floor(65536 / size)))
