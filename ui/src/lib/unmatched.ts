/** Why something of mine did not match, as the newest clearing of its commodity told it. */
import { all, get, type Listed, type Schemas } from "./api";

type Run = Schemas["RunAnswer"];
export interface Reason {
  /** in words, in the language of the page */
  message: string;
  /** the instant of the clearing */
  at: string;
}

/** Reads the reasons by post. A dry run, which only the hub sees, says nothing about what stands. */
export async function reasons(): Promise<Map<string, Reason>> {
  const newest = new Map<string, Run>();
  for (const run of (await get<Listed<Run>>("/v1/clearing-runs?limit=20")).items)
    if (!run.dry_run) for (const code of run.commodities) if (!newest.has(code)) newest.set(code, run);
  const found = new Map<string, Reason>();
  for (const run of new Set(newest.values()))
    for (const row of await all<Schemas["UnmatchedAnswer"]>(`/v1/clearing-runs/${run.id}/unmatched?limit=200`))
      if (newest.get(row.commodity) === run) found.set(row.id, { message: row.message, at: run.as_of });
  return found;
}
