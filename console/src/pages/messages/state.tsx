import type { ListedMessage } from '@pushkeep/console-api'
import { Badge } from '../../ui/badge.tsx'
import { count } from '../../ui/format.ts'
import type { StackPart } from '../../ui/stack.tsx'
import { statusWords } from '../../words/reasons.ts'

const states = {
  scheduled: { tone: 'info', word: 'scheduled' },
  accepted: { tone: 'info', word: 'accepted' },
  sending: { tone: 'info', word: 'sending' },
  done: { tone: 'none', word: 'done' },
} as const

/** Where a message stands, in a word. */
export function StateBadge({
  message,
}: {
  message: Pick<ListedMessage, 'state' | 'cancelled_at'>
}) {
  if (message.cancelled_at) return <Badge tone="warn">cancelled</Badge>
  const { tone, word } = states[message.state]
  return <Badge tone={tone}>{word}</Badge>
}

/** A message's recipients by status, as parts of a whole. */
export function countParts({ counts }: Pick<ListedMessage, 'counts'>): StackPart[] {
  const names = ['sent', 'bounced', 'suppressed', 'failed', 'expired'] as const
  return names.map((name) => ({
    label: statusWords[name].label,
    series: name,
    value: counts[name],
  }))
}

/** Whom a message is for, in words. */
export function audienceWords({ kind, size }: ListedMessage['audience']): string {
  switch (kind) {
    case 'all':
      return 'everyone'
    case 'person_id':
      return 'one person'
    case 'token':
      return 'one token'
    case 'person_ids':
      return count(size ?? 0, 'person', 'people')
    case 'tokens':
      return count(size ?? 0, 'token')
    default:
      return kind.replaceAll('_', ' ')
  }
}
