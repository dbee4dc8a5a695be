"""Tools without a domain: database, problems, HTTP habits, authentication, clock, ids, paging."""
