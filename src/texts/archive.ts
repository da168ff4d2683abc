/** Whether a file is a ZIP archive, as Excel workbooks are: by what it begins with, whatever it is called. */
export const isArchive = (bytes: Uint8Array): boolean =>
  String.fromCharCode(...bytes.subarray(0, 4)) === 'PK\x03\x04'
