import type { ReactNode } from 'react'

/** A wide table in a place of its own, which is scrolled by keyboard as well. */
export function Scroll({ label, children }: { label: string; children: ReactNode }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: without the focus the keyboard cannot scroll it
    <section className="scroll" aria-label={label} tabIndex={0}>
      {children}
    </section>
  )
}
