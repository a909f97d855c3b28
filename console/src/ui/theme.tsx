import { useState } from 'react'
import { Button } from './button.tsx'
import { Icon } from './icon.tsx'

type Theme = 'system' | 'light' | 'dark'

const order: Theme[] = ['system', 'light', 'dark']
const storageKey = 'pushkeep-theme'

/** The theme that was chosen on this machine, applied to the page. */
export function applyTheme(): Theme {
  const stored = localStorage.getItem(storageKey)
  const theme = order.find((name) => name === stored) ?? 'system'
  setTheme(theme)
  return theme
}

function setTheme(theme: Theme): void {
  if (theme === 'system') delete document.documentElement.dataset.theme
  else document.documentElement.dataset.theme = theme
}

/** Goes from the system's colours to light ones to dark ones. */
export function ThemeButton() {
  const [theme, choose] = useState(applyTheme)
  const next = order[(order.indexOf(theme) + 1) % order.length] ?? 'system'
  return (
    <Button
      look="quiet"
      aria-label={`Colours: ${theme}. Switch to ${next}`}
      title={`Colours: ${theme}`}
      onClick={() => {
        localStorage.setItem(storageKey, next)
        setTheme(next)
        choose(next)
      }}
    >
      <Icon name={theme} />
    </Button>
  )
}
