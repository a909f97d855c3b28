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
