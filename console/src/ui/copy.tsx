import { useState } from 'react'
import { Button } from './button.tsx'
import { Icon } from './icon.tsx'

/** Copies a text, where the browser lets a page do so (https or this machine). */
export function CopyButton({ text, label }: { text: string; label: string }) {
  const [isCopied, setIsCopied] = useState(false)
  if (!navigator.clipboard) return null
  return (
    <Button
      look="quiet"
      aria-label={isCopied ? 'Copied' : label}
      title={label}
      onClick={() =>
        void navigator.clipboard.writeText(text).then(() => {
          setIsCopied(true)
          setTimeout(() => setIsCopied(false), 2000)
        })
      }
    >
      <Icon name={isCopied ? 'check' : 'copy'} />
    </Button>
  )
}

/** An id in short, whole for whoever points at it or copies it. */
export function Id({ text, label }: { text: string; label: string }) {
  return (
    <span className="id">
      <code title={text}>{text}</code>
      <CopyButton text={text} label={label} />
    </span>
  )
}
