import { type Caller, forCaller } from '@pushkeep/runtime'
import { type ExportedSubject, exportParts, type Person, type Sql } from '@pushkeep/store'

/**
 * Everything of one person as one JSON object, a piece at a time: `person`, then a list for each part, then
 * `"complete": true`, so that one that broke off can be told. Holds one page in memory.
 */
export async function* exportPerson(
  sql: Sql,
  caller: Caller,
  person: Person,
  subject: ExportedSubject,
  now: number,
): AsyncGenerator<string> {
  yield `{"exported_at":${JSON.stringify(new Date(now).toISOString())},"person":${personText(person)}`
  for (const { name, read } of exportParts) {
    yield `,\n"${name}":[`
    let after: string | null = null
    let separator = '\n'
    do {
      const page = await forCaller(caller, () => read(sql, subject, after))
      if (page.lines.length > 0) yield separator + page.lines.join(',\n')
      separator = ',\n'
      after = page.next
    } while (after !== null)
    yield ']'
  }
  yield ',\n"complete":true}\n'
}

function personText({ id, attributes, suppressed, blocked, createdAt, updatedAt }: Person): string {
  return JSON.stringify({
    id,
    attributes,
    suppressed,
    blocked,
    created_at: createdAt.toISOString(),
    updated_at: updatedAt.toISOString(),
  })
}
