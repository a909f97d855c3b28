import type { Section, TakenRisk } from './attempt.ts'
import { auditSection } from './sections/audit.ts'
import { bounceSection } from './sections/bounces.ts'
import { callSection } from './sections/calls.ts'
import { databaseSection } from './sections/database.ts'
import { edgeSection } from './sections/edges.ts'
import { identitySection } from './sections/identity.ts'
import { laneSection } from './sections/lanes.ts'
import { limitSection } from './sections/limits.ts'
import { liveSection } from './sections/live.ts'
import { messageSection } from './sections/messages.ts'
import { privacySection } from './sections/privacy.ts'
import { routeSections } from './sections/routes.ts'
import { stringSection } from './sections/strings.ts'
import { openWorld } from './world.ts'

export interface AttackOptions {
  /** Sections whose name holds one of these; empty: all. */
  only: readonly string[]
  print: (line: string) => void
}

export interface AttackResult {
  tried: number
  held: number
  failed: string[]
}

/** Sections that take seconds alone. */
export const shortSections = [
  'routes',
  'public key',
  'role read',
  'identity',
  'poisoned',
  'edges',
  'database',
]

/** Risks that are taken, with their reasons (docs/security.md). */
const risks: readonly TakenRisk[] = [
  { name: 'an identity token is used again until it ends', reason: 'it is a bearer token' },
  { name: 'operate pushes to everybody of its workspace', reason: 'backends hold it for sending' },
  { name: 'tokens are in clear in the database', reason: 'each push needs them' },
  { name: 'the console has one factor, a key', reason: 'keys end, and are bound to addresses' },
]

/** Runs every attempt against an installation of its own, and prints what was tried, held and failed. */
export async function runAttack({ only, print }: AttackOptions): Promise<AttackResult> {
  await using world = await openWorld()
  const all = [
    ...(await routeSections(world)),
    stringSection(world),
    identitySection(world),
    messageSection(world),
    laneSection(world),
    edgeSection(world),
    databaseSection(world),
    privacySection(world),
    auditSection(world),
    liveSection(world),
    callSection(world),
    bounceSection(world),
    limitSection(world),
  ]
  const chosen = all.filter(
    ({ name }) => only.length === 0 || only.some((text) => name.includes(text)),
  )
  if (chosen.length === 0) throw new Error(`there is no section ${only.join(', ')}`)
  const result: AttackResult = { tried: 0, held: 0, failed: [] }
  for (const section of chosen) await runSection(section, result, print)
  for (const { name, reason } of risks) print(`taken  ${name}: ${reason}`)
  const { tried, held, failed } = result
  print(`${tried} tried, ${held} held, ${failed.length} failed, ${risks.length} risks taken`)
  return result
}

async function runSection(
  section: Section,
  result: AttackResult,
  print: (line: string) => void,
): Promise<void> {
  const before = result.failed.length
  await serves(section, result)
  for (const { name, run } of section.attempts) {
    const fault = await run().catch((error: unknown) => `broke: ${String(error)}`)
    result.tried += 1
    if (fault === null) result.held += 1
    else result.failed.push(`${section.name}: ${name}: ${fault}`)
  }
  // What was refused was not refused because the part is down.
  await serves(section, result)
  const failed = result.failed.slice(before)
  print(`${section.name}: ${section.attempts.length} tried, ${failed.length} failed`)
  for (const line of failed) print(`FAILED ${line}`)
}

/** Counts a part that does not serve as a failure. */
async function serves({ name, control }: Section, { failed }: AttackResult): Promise<void> {
  await control().catch((error: unknown) => failed.push(`${name}: control: ${String(error)}`))
}
