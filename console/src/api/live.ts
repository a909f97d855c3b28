import { useQueryClient } from '@tanstack/react-query'
import { useEffect, useState } from 'react'

/** `live`: events come. `stale`: they do not, what is shown may be old. `off`: the page is hidden. */
export type LiveState = 'connecting' | 'live' | 'stale' | 'off'

/** After so long without a sign of life a connection is taken for dead, in ms. */
const silenceMs = 40_000

/**
 * Keeps a query up to date by server-sent events, as long as the page is visible. The browser comes
 * back by itself and says what it saw last; a hidden page holds no connection.
 */
export function useLive(path: string, queryKey: readonly unknown[]): LiveState {
  const client = useQueryClient()
  const [state, setState] = useState<LiveState>('connecting')
  const key = JSON.stringify(queryKey)

  useEffect(() => {
    let source: EventSource | null = null
    let silence: ReturnType<typeof setTimeout> | undefined

    function heard() {
      clearTimeout(silence)
      silence = setTimeout(() => setState('stale'), silenceMs)
    }

    function open() {
      source = new EventSource(`/ops/api/${path}`)
      source.onopen = heard
      source.onmessage = (event) => {
        heard()
        setState('live')
        client.setQueryData(JSON.parse(key), JSON.parse(event.data))
      }
      source.addEventListener('trouble', () => setState('stale'))
      source.addEventListener('signed-out', () => {
        close()
        void client.invalidateQueries({ queryKey: ['session'] })
      })
      source.onerror = () => {
        setState('stale')
        // Refused for good (signed out, too many): the plain query says why.
        if (source?.readyState === EventSource.CLOSED) {
          void client.invalidateQueries({ queryKey: JSON.parse(key) })
        }
      }
    }

    function close() {
      clearTimeout(silence)
      source?.close()
      source = null
    }

    function follow() {
      if (document.hidden) {
        close()
        setState('off')
      } else if (!source) {
        setState('connecting')
        open()
      }
    }

    follow()
    document.addEventListener('visibilitychange', follow)
    return () => {
      document.removeEventListener('visibilitychange', follow)
      close()
    }
  }, [client, path, key])

  return state
}
