import type { Simulation } from '../simulation.ts'
import type { AdminAnswer } from './http.ts'

/** What the admin API works on. */
export interface AdminWorld {
  simulation: Simulation
  caPem: string
  tokenUri: string
  /** Writes the issued credentials down. */
  save: () => Promise<void>
}

/** One request to the admin API. */
export interface AdminRequest {
  /** The last part of the path, where the route has one. */
  name: string
  query: Record<string, string>
  body: unknown
}

/** One path and method of the admin API. */
export interface Route {
  method: 'GET' | 'PUT' | 'POST' | 'DELETE'
  path: RegExp
  answer: (request: AdminRequest) => AdminAnswer | Promise<AdminAnswer>
}
