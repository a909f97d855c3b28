import { broadcastScene } from './broadcast-scene.ts'
import { isWell, play, type Scene, scenes } from './scenes.ts'
import { judge, type Verdict } from './verdict.ts'
import { type Backend, openWorld } from './world.ts'

export interface RunOptions {
  seed: number
  backend: Backend
  /** Scenes whose name holds one of these; none: all. */
  only: string[]
  isShort: boolean
  print: (line: string) => void
}

/** Longest wait for the last delivery of a scene: FCM asks for patience before a retry. */
const settleMs = 180_000

/** Plays the scenes one by one, each in a world of its own. Returns whether all came out well. */
export async function runChaos(options: RunOptions): Promise<boolean> {
  const { seed, backend, only, isShort, print } = options
  const wanted = (name: string) => only.length === 0 || only.some((part) => name.includes(part))
  print(`seed ${seed}, queues in ${backend}${isShort ? ', short' : ''}`)
  const total: Record<string, number> = {}
  let isAllWell = true
  for (const [index, scene] of scenes.entries()) {
    if (!wanted(scene.name) || !(scene.backends ?? [backend]).includes(backend)) continue
    const { injected, verdict, retries } = await playScene(scene, seed + index, options)
    for (const [kind, times] of Object.entries(injected)) total[kind] = (total[kind] ?? 0) + times
    const ok = isWell(scene, verdict, retries.worst)
    isAllWell &&= ok
    print(`\n${scene.name}: ${ok ? 'well' : 'NOT WELL'}`)
    printScene(print, injected, verdict, retries)
  }
  if (!isShort && wanted('broadcast')) isAllWell = (await broadcastScene(options)) && isAllWell
  const faults = Object.values(total).reduce((sum, times) => sum + times, 0)
  print(`\nfaults injected: ${faults}; all well: ${isAllWell}`)
  return isAllWell
}

async function playScene(scene: Scene, seed: number, options: RunOptions) {
  const world = await openWorld(seed, options.backend)
  try {
    const injected = await play(world, scene, options.isShort)
    const verdict = await judge(world, settleMs)
    return { injected, verdict, retries: world.retries }
  } finally {
    await world.close()
  }
}

function printScene(
  print: RunOptions['print'],
  injected: Record<string, number>,
  verdict: Verdict,
  retries: { total: number; worst: number },
): void {
  for (const [kind, times] of Object.entries(injected)) print(`  faults, ${kind}: ${times}`)
  print(`  messages accepted: ${verdict.accepted}`)
  print(`  deliveries recorded: ${verdict.recorded}`)
  print(`  accepted by the provider: ${verdict.arrived}`)
  print(`  lost: ${verdict.lost}`)
  print(`  doubled at the provider: ${verdict.doubled}`)
  print(`  doubled beyond collapse: ${verdict.beyondCollapse}`)
  print(`  sent to the wrong person: ${verdict.wrongPerson}`)
  print(`  statuses wrong: ${verdict.wrongStatus}`)
  print(`  messages that do not add up: ${verdict.unbalanced}`)
  print(`  calls that had to be repeated: ${retries.total} (at most ${retries.worst} for one)`)
}
