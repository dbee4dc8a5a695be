"""What can go wrong with money."""

from app.kit.db import means
from app.kit.problems import Conflict
from app.kit.text import Text


class MoreThanDue(Conflict):
    """409: more would be paid out than is due."""

    code = "more_than_due"
    pointer = "/amount_idr"
    title = Text("Melebihi yang masih harus dibayar.", "It is more than is still due.")


class ReferenceUsed(Conflict):
    """409: a payment of this direction with this reference is recorded already."""

    code = "reference_used"
    pointer = "/reference"
    title = Text(
        "Pembayaran dengan nomor referensi ini sudah dicatat.", "A payment with this reference is recorded already."
    )


class LineMatched(Conflict):
    """409: the booking belongs to a payment already."""

    code = "line_matched"
    pointer = "/bank_line"
    title = Text(
        "Baris rekening koran ini sudah punya pembayaran.", "This booking of the bank statement has its payment."
    )


means("uq_payments_hub_direction_reference", ReferenceUsed)
means("uq_bank_lines_payment_id", LineMatched)
