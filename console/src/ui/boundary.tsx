import { Component, type ReactNode } from 'react'
import { Button } from './button.tsx'
import { Icon } from './icon.tsx'

/**
 * Keeps the fault of a page to that page: a script of an older release that is not there any more, or a
 * mistake of ours. The menu stays; a new key is a new beginning.
 */
export class Boundary extends Component<{ children: ReactNode }, { isBroken: boolean }> {
  override state: { isBroken: boolean } = { isBroken: false }

  static getDerivedStateFromError() {
    return { isBroken: true }
  }

  override render() {
    if (!this.state.isBroken) return this.props.children
    return (
      <div className="notice bad" role="alert">
        <Icon name="fault" />
        <div>
          <p className="notice-title">This page could not be shown.</p>
          <p>
            A new release may have come while it was open. If loading it again does not help, the
            command line tells the same: <code>npx pushkeep --help</code>.
          </p>
          <Button onClick={() => window.location.reload()}>Load it again</Button>
        </div>
      </div>
    )
  }
}
