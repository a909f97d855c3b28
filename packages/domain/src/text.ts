import { z } from 'zod'

/** Whether PostgreSQL and JSON can both hold the text: no NUL, no lone surrogate. */
export function isCleanText(text: string): boolean {
  return !text.includes('\u0000') && text.isWellFormed()
}

/** Text of 1 to `max` UTF-8 bytes that every part of the system can store. */
export function cleanText(max: number): z.ZodString {
  return z
    .string()
    .min(1, 'must not be empty')
    .max(max, `must be at most ${max} bytes`)
    .refine(isCleanText, 'must be valid Unicode without NUL')
    .refine((text) => Buffer.byteLength(text) <= max, `must be at most ${max} bytes`)
}

// C0, DEL, C1, the line and paragraph separators, and what turns the direction of text (Unicode's Bidi_Control).
const control = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/u
const controls = new RegExp(control, 'gu')
const controlsButBreaks = new RegExp(`(?!\\n)${control.source}`, 'gu')

/** Whether text has no character that a terminal obeys instead of showing it. */
export function isPlainText(text: string): boolean {
  return !control.test(text)
}

/** Clean text without control characters: for names and ids, which people read in lists. */
export function plainText(max: number): z.ZodString {
  // NUL is told of once.
  return cleanText(max).refine(
    (text) => !isCleanText(text) || isPlainText(text),
    'must have no control characters',
  )
}

/** Longest name of an app, a key or a workspace, in characters. */
export const nameLengthMax = 200

/** The name of an app, a key or a workspace, as people give it. */
export const NameInput = z
  .string()
  .trim()
  .min(1, 'is required')
  .max(nameLengthMax, `must be at most ${nameLengthMax} characters`)
  .refine((text) => isCleanText(text) && isPlainText(text), 'must have no control characters')

/** Text with each control character as `\u` and its number: a terminal shows it and obeys none. */
export function escapeControls(text: string): string {
  return isPlainText(text) ? text : text.replace(controls, escapeControl)
}

/** The same for text of several lines, whose line breaks stay. */
export function escapeLines(text: string): string {
  return text.replace(controlsButBreaks, escapeControl)
}

function escapeControl(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
}
