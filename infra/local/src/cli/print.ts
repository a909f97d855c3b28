import { escapeControls, escapeLines } from '@pushkeep/domain'

/**
 * Writes text to the standard output. What it repeats, phones and callers have written: control
 * characters are escaped, and lines break where the text does.
 */
export function print(text: string): void {
  console.log(escapeLines(text))
}

/** The same to the standard error. */
export function printError(text: string): void {
  console.error(escapeLines(text))
}

/** Says in one line what went wrong. */
export function printFailure(message: string): void {
  console.error(`pushkeep: ${escapeControls(message)}`)
}
