import {
  type FieldProblem,
  isCleanText,
  type Lane,
  type NewMessage,
  tokenProblem,
  transactionalAudienceMax,
} from '@pushkeep/domain'

/** Which lane a message takes: a short list must not wait behind a broadcast. */
export function laneOf(to: NewMessage['to']): Lane {
  if (to.all) return 'bulk'
  const listed = to.person_ids?.length ?? to.tokens?.length ?? 1
  return listed <= transactionalAudienceMax ? 'transactional' : 'bulk'
}

/** What the schema cannot say of a message: each field that is wrong. */
export function messageProblems(message: NewMessage): FieldProblem[] {
  return [...tokenProblems(message.to), ...imageProblems(message)]
}

function tokenProblems(to: NewMessage['to']): FieldProblem[] {
  const single = to.token === undefined ? [] : [{ path: 'to.token', token: to.token }]
  const listed = (to.tokens ?? []).map((token, index) => ({ path: `to.tokens.${index}`, token }))
  return [...single, ...listed]
    .filter(({ token }) => tokenProblem('ios', token) && tokenProblem('android', token))
    .map(({ path }) => ({ path, message: 'must be an APNs or FCM device token' }))
}

// A URL parser takes a lone surrogate and NUL, PostgreSQL takes neither.
function imageProblems({ content }: NewMessage): FieldProblem[] {
  if (content?.image_url === undefined || isCleanText(content.image_url)) return []
  return [{ path: 'content.image_url', message: 'must be valid Unicode without NUL' }]
}
