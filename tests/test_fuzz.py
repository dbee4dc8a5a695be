"""Any input gets a planned answer: schemathesis over the whole contract, with three parties' keys."""
