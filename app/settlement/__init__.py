"""What the buyer owes and each producer, carrier and collector gets: bills, payments, the ledger behind them.

Words: bill (tagihan), transfer (one row of the ledger), share (a payee's part of one payment), payout, set-off,
statement (rekening koran of a party), credit (what a buyer has paid too much). Invariants: the ledger is append-only
and balanced by construction, because one row is one transfer from a debit to a credit account; a receipt is billed
once; the shares of an order add up to what is paid of its bill; a payee is paid no more than is due to it.
"""
