/** Long work that became a job of the worker. */
import { get, Offline, Refused, type Problem, type Schemas } from "./api";

export type Job = Schemas["JobAnswer"];
const LOOKS_EVERY = 1000;

/** Follows a job to its end and tells each look; a lost signal only delays it. Throws what the job refused. */
export async function finished(job: Job, tell: (job: Job) => void): Promise<void> {
  let seen = job;
  for (;;) {
    tell(seen);
    if (seen.status === "failed") throw new Refused(seen.problem as unknown as Problem);
    if (seen.status === "done") return;
    await new Promise((later) => setTimeout(later, LOOKS_EVERY));
    try {
      seen = await get<Job>(`/v1/jobs/${job.id}`);
    } catch (error) {
      if (!(error instanceof Offline)) throw error;
    }
  }
}
