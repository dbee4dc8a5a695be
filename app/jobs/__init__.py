"""Long work: kept in the database, claimed by any worker.

Words: job, kind, progress. Invariants: a job is claimed by one worker at a time under a lease; a worker that dies
gives it back; a job that fails three times stays failed and says why.
"""
