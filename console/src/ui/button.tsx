import type { ButtonHTMLAttributes, ReactNode } from 'react'

export interface ButtonProps extends Omit<ButtonHTMLAttributes<HTMLButtonElement>, 'type'> {
  /** `main`: what the page is for; `danger`: what cannot be taken back; `quiet`: beside other things. */
  look?: 'main' | 'plain' | 'danger' | 'quiet'
  type?: 'button' | 'submit'
  /** What it does is under way. */
  isBusy?: boolean
  children: ReactNode
}

/** A button; while it is busy it says so and does nothing more. */
export function Button({
  look = 'plain',
  type = 'button',
  isBusy = false,
  disabled = false,
  onClick,
  children,
  ...rest
}: ButtonProps) {
  return (
    <button
      {...rest}
      type={type}
      className={`button ${look}`}
      disabled={disabled}
      aria-busy={isBusy || undefined}
      onClick={isBusy ? (event) => event.preventDefault() : onClick}
    >
      {children}
    </button>
  )
}
