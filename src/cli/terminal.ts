/**
 * The only way to a terminal: whatever is written, model replies, names and errors of others among it, has lost what would
 * be a command to the terminal.
 */
import { plainJson, plainLine, plainText } from '../transport/plain-text.ts'

/** To standard output, as it is: no line end is added. */
export const print = (text: string): void => void process.stdout.write(plainText(text))

/** One line of JSON to standard output, with the same value as any other JSON of it. */
export const printJson = (value: unknown): void => void process.stdout.write(`${jsonLine(value)}\n`)

/** A result for programs, or for people. */
export const printResult = (isJson: boolean, value: unknown, text: string): void =>
  isJson ? printJson(value) : print(text)

export const jsonLine = (value: unknown): string => plainJson(JSON.stringify(value))

/** A line or several to standard error, in place of the one that `status` shows. */
export const say = (text: string): void =>
  void process.stderr.write(`${process.stderr.isTTY ? '\r\u001b[2K' : ''}${plainText(text)}\n`)

/** A line at standard error that the next one replaces. */
export const status = (text: string): void => void process.stderr.write(`\r${plainLine(text)}\u001b[K`)
