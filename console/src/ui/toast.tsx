import { createContext, type ReactNode, useCallback, useContext, useState } from 'react'
import { Button } from './button.tsx'
import { Icon } from './icon.tsx'

const shownMs = 6000

const ToastContext = createContext<(text: string) => void>(() => {})

/** Says that something was done. */
export function useToast(): (text: string) => void {
  return useContext(ToastContext)
}

/** Where short messages appear, read out by screen readers. */
export function ToastProvider({ children }: { children: ReactNode }) {
  const [toasts, setToasts] = useState<{ id: number; text: string }[]>([])
  const drop = useCallback((id: number) => {
    setToasts((all) => all.filter((toast) => toast.id !== id))
  }, [])
  const say = useCallback(
    (text: string) => {
      const id = Date.now() + Math.random()
      setToasts((all) => [...all.slice(-2), { id, text }])
      setTimeout(() => drop(id), shownMs)
    },
    [drop],
  )
  return (
    <ToastContext value={say}>
      {children}
      <div className="toasts" role="status">
        {toasts.map(({ id, text }) => (
          <p key={id} className="toast">
            <Icon name="check" />
            {text}
            <Button look="quiet" aria-label="Dismiss" onClick={() => drop(id)}>
              <Icon name="close" />
            </Button>
          </p>
        ))}
      </div>
    </ToastContext>
  )
}
