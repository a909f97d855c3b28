import { otherLabel } from '@pushkeep/runtime'
import { appOfNo, type Sql } from '@pushkeep/store'

/** How an app is named in metrics: by its id, which is unique, and its name, which people know. */
export interface AppLabels {
  app: string
  app_name: string
}

/** Apps beyond the bound share one set of labels. */
const otherApp: AppLabels = { app: otherLabel, app_name: otherLabel }

/** Names apps for metrics; how many are told apart is bounded. */
export interface AppNames {
  /** The labels of an app, looked up the first time. Never rejects: what cannot be named is `other`. */
  find(appNo: number): Promise<AppLabels>
  /** The labels of an app that was looked up before. */
  known(appNo: number): AppLabels
}

export function createAppNames(sql: Sql, appsMax: number): AppNames {
  const names = new Map<number, AppLabels>()

  async function lookUp(appNo: number): Promise<AppLabels> {
    const app = await appOfNo(sql, appNo).catch(() => null)
    if (!app || names.size >= appsMax) return otherApp
    const labels = { app: app.id, app_name: app.name }
    names.set(appNo, labels)
    return labels
  }

  const known = (appNo: number) => names.get(appNo) ?? otherApp
  return {
    known,
    async find(appNo) {
      const labels = names.get(appNo)
      if (labels) return labels
      return names.size >= appsMax ? otherApp : lookUp(appNo)
    },
  }
}
