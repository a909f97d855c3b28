import type { Answer, Env } from '../session.ts'
import { type Api, connectApi } from './client.ts'

/** Runs a command that speaks to the services, and says what it answers. */
export type RunApi = (work: (api: Api) => Promise<Answer>) => Promise<void>

/** Runs `work` with the API of the environment, or of the installation that runs here. */
export async function withApi(env: Env, work: (api: Api) => Promise<Answer>): Promise<Answer> {
  return work(await connectApi(env))
}
