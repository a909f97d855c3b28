import type { RunOptions } from './options.ts'
import type { Played, Scene } from './scene.ts'
import { scenes, shortScene } from './scenes.ts'
import { judge, type Verdict } from './verdict.ts'
import { openWorld } from './world.ts'

/** Longest wait for the last delivery of a scene: providers ask for patience before a retry. */
const settleMs = 300_000

/** Plays the scenes one by one, each in a world of its own. Returns whether all came out well. */
export async function runChaos(options: RunOptions): Promise<boolean> {
  const { seed, backend, isShort, print } = options
  print(`seed ${seed}, queues in ${backend}${isShort ? ', short' : ''}`)
  const total: Totals = { faults: 0, scenes: 0, lost: 0, wrongPerson: 0, wrongStatus: 0 }
  let isAllWell = true
  for (const [index, scene] of wantedScenes(options).entries()) {
    const result = await playScene(scene, seed + index, options)
    isAllWell = report(print, scene, result) && isAllWell
    add(total, result)
  }
  print(`\nscenes: ${total.scenes}`)
  print(`faults injected: ${total.faults}`)
  print(`lost: ${total.lost}`)
  print(`sent to the wrong person: ${total.wrongPerson}`)
  print(`statuses wrong: ${total.wrongStatus}`)
  print(`all well: ${isAllWell}`)
  return isAllWell
}

function wantedScenes({ backend, only, isShort }: RunOptions): Scene[] {
  const all = isShort ? [shortScene] : scenes
  return all.filter(
    (scene) =>
      (scene.backend ?? backend) === backend &&
      (only.length === 0 || only.some((part) => scene.name.includes(part))),
  )
}

interface Result {
  played: Played
  verdict: Verdict
  repeats: { total: number; most: number }
}

async function playScene(scene: Scene, seed: number, options: RunOptions): Promise<Result> {
  const world = await openWorld(seed, options.backend)
  try {
    const played = await scene.play(world)
    const verdict = await judge(world, settleMs)
    const repeats = world.calls.records.map((record) => record.repeats)
    return {
      played,
      verdict,
      repeats: {
        total: repeats.reduce((sum, one) => sum + one, 0),
        most: repeats.reduce((most, one) => Math.max(most, one), 0),
      },
    }
  } finally {
    await world.close()
  }
}

const mustBeNone = [
  'lost',
  'beyondCollapse',
  'withoutCause',
  'wrongPerson',
  'wrongStatus',
  'unbalanced',
] as const satisfies (keyof Verdict)[]

/** Whether a scene came out as it must. */
function isWell(scene: Scene, { played, verdict, repeats }: Result): boolean {
  const { doubled, paused } = verdict
  return (
    mustBeNone.every((figure) => verdict[figure] === 0) &&
    paused.length === 0 &&
    doubled <= doubledMax(scene, verdict) &&
    repeats.most <= (scene.repeatsMax ?? Number.POSITIVE_INFINITY) &&
    played.figures.every((figure) => figure.isWell)
  )
}

function doubledMax({ doubledMax: max }: Scene, { arrived, doubts }: Verdict): number {
  return 'share' in max ? Math.floor(arrived * max.share) : doubts * max.eachDoubt
}

function report(print: RunOptions['print'], scene: Scene, result: Result): boolean {
  const { played, verdict, repeats } = result
  const ok = isWell(scene, result)
  const share = ((verdict.doubled / Math.max(1, verdict.arrived)) * 100).toFixed(3)
  print(`\n${scene.name}: ${ok ? 'well' : 'NOT WELL'}`)
  for (const [kind, times] of Object.entries(played.injected)) print(`  faults, ${kind}: ${times}`)
  print(`  messages accepted: ${verdict.accepted}`)
  print(`  deliveries recorded: ${verdict.recorded}`)
  print(`  accepted by the provider: ${verdict.arrived}`)
  print(`  lost: ${verdict.lost}`)
  print(`  doubled at the provider: ${verdict.doubled} (${share} %)`)
  print(`  doubled beyond collapse: ${verdict.beyondCollapse}`)
  print(`  doubled without a cause: ${verdict.withoutCause}${distances(verdict.fromDoubt)}`)
  print(`  sent to the wrong person: ${verdict.wrongPerson}`)
  print(`  statuses wrong: ${verdict.wrongStatus}`)
  print(`  messages that do not add up: ${verdict.unbalanced}`)
  print(`  lanes paused: ${verdict.paused.join('; ') || 'none'}`)
  print(`  calls that had to be repeated: ${repeats.total} (at most ${repeats.most} for one)`)
  for (const figure of played.figures) {
    print(`  ${figure.name}: ${figure.value}${figure.isWell ? '' : ' (NOT WELL)'}`)
  }
  return ok
}

/** How far from the nearest fault pushes were that came twice without one. */
function distances(ms: number[]): string {
  if (ms.length === 0) return ''
  return ` (from a fault's time: ${Math.min(...ms)} to ${Math.max(...ms)} ms)`
}

interface Totals {
  faults: number
  scenes: number
  lost: number
  wrongPerson: number
  wrongStatus: number
}

function add(total: Totals, { played, verdict }: Result): void {
  total.scenes += 1
  total.faults += Object.values(played.injected).reduce((sum, times) => sum + times, 0)
  total.lost += verdict.lost
  total.wrongPerson += verdict.wrongPerson
  total.wrongStatus += verdict.wrongStatus
}
