import { outageScene, redisAwayScene } from './away-scenes.ts'
import { broadcastScene, killedBroadcastScene } from './broadcast-scenes.ts'
import { faultScene } from './fault-scene.ts'
import * as faults from './faults.ts'
import type { Scene } from './scene.ts'

const people = 300
const messagesPerSecond = 60

export const scenes: Scene[] = [
  faultScene({
    name: 'kill -9',
    faults: [
      [faults.killWorker, 45],
      [faults.killRegistry, 10],
      [faults.killSender, 10],
    ],
    everyMs: 400,
    people,
    messagesPerSecond,
    doubledMax: { share: 0.001 },
  }),
  faultScene({
    name: 'stores killed',
    faults: [
      [faults.killPostgres, 6],
      [faults.killRedis, 6],
      [faults.freezeRedis, 4],
    ],
    everyMs: 1500,
    people,
    messagesPerSecond,
    doubledMax: { share: 0.001 },
    backend: 'redis',
  }),
  faultScene({
    name: 'queue wiped',
    faults: [[faults.wipeQueue, 25]],
    everyMs: 600,
    people,
    messagesPerSecond,
    doubledMax: { share: 0 },
  }),
  faultScene({
    name: 'GOAWAY and refused streams',
    faults: [
      [faults.goaway, 25],
      [faults.goawayEvery, 8],
      [faults.goawayUnprocessed, 8],
      [faults.refusedStreams, 8],
      [faults.fewStreams, 5],
    ],
    everyMs: 300,
    people,
    messagesPerSecond,
    doubledMax: { share: 0 },
  }),
  faultScene({
    name: 'rolling restarts',
    faults: [[faults.restart, 20]],
    everyMs: 300,
    people,
    messagesPerSecond,
    doubledMax: { share: 0 },
    repeatsMax: 1,
  }),
  faultScene({
    name: 'provider in trouble',
    faults: [
      [faults.unavailable, 8],
      [faults.throttled, 4],
      [faults.refused, 4],
      [faults.untrusted, 4],
      [faults.nameLost, 4],
      [faults.slow, 5],
    ],
    everyMs: 500,
    people,
    messagesPerSecond,
    doubledMax: { share: 0 },
  }),
  faultScene({
    name: 'silent connection',
    faults: [[faults.silent, 3]],
    everyMs: 500,
    people,
    messagesPerSecond,
    // What was sent into the silence is in doubt, and is sent again.
    doubledMax: { share: 0.05 },
  }),
  outageScene(120),
  redisAwayScene(300),
  broadcastScene(40_000),
  killedBroadcastScene(600_000, 8),
]

/** A little of nearly everything in one world, for each run of the tests. */
export const shortScene: Scene = faultScene({
  name: 'a little of everything',
  faults: [
    [faults.killWorker, 3],
    [faults.killRegistry, 1],
    [faults.killSender, 1],
    [faults.killPostgres, 1],
    [faults.wipeQueue, 2],
    [faults.goaway, 2],
    [faults.goawayUnprocessed, 1],
    [faults.refusedStreams, 1],
    [faults.restart, 2],
    [faults.unavailable, 1],
    [faults.untrusted, 1],
    [faults.nameLost, 1],
  ],
  everyMs: 300,
  people: 60,
  messagesPerSecond: 60,
  // Of so few pushes a share says nothing; so many are in flight soon after a burst begins.
  doubledMax: { eachDoubt: 8 },
})
