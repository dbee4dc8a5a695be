"""What can go wrong with shipments, receipts and disputes."""

from app.kit.db import means
from app.kit.problems import Conflict, FieldError, Invalid
from app.kit.text import Text


class DepartureClosed(Conflict):
    """409: the departure does not run."""

    code = "departure_closed"
    title = Text("Jadwal kirim ini ditutup. Muat ke jadwal lain.", "This departure is closed. Load on another one.")


class ShipmentNotLoading(Conflict):
    """409: the shipment has left."""

    code = "shipment_not_loading"
    title = Text("Pengiriman ini sudah berangkat.", "This shipment has left already.")


class ShipmentNotInTransit(Conflict):
    """409: the shipment has not left, or has arrived."""

    code = "shipment_not_in_transit"
    title = Text("Pengiriman ini belum berangkat atau sudah tiba.", "This shipment has not left, or has arrived.")


class ShipmentNotArrived(Conflict):
    """409: what has not arrived cannot be received."""

    code = "shipment_not_arrived"
    title = Text("Pengiriman ini belum tiba.", "This shipment has not arrived yet.")


class ReceiptExists(Conflict):
    """409: there is a receipt of this order in this shipment."""

    code = "receipt_exists"
    title = Text(
        "Tanda terima untuk pesanan ini sudah dicatat. Ajukan sanggahan bila tidak cocok.",
        "A receipt of this order was recorded. Dispute it where it is not right.",
    )


class ReceiptFinal(Conflict):
    """409: the receipt is final, or its time to be disputed is over."""

    code = "receipt_final"
    title = Text("Tanda terima ini sudah final.", "This receipt is final.")


class ReceiptAcknowledged(Conflict):
    """409: the buyer has agreed to it."""

    code = "receipt_acknowledged"
    title = Text("Anda sudah menyetujui tanda terima ini.", "You have agreed to this receipt already.")


class ReceiptDisputed(Conflict):
    """409: the receipt is, or was, disputed."""

    code = "receipt_disputed"
    title = Text("Tanda terima ini sudah disanggah.", "This receipt was disputed already.")


class DisputeResolved(Conflict):
    """409: the dispute was decided."""

    code = "dispute_resolved"
    title = Text("Sanggahan ini sudah diputuskan.", "This dispute was decided already.")


class ImplausibleWeight(Invalid):
    """422: a weight that does not fit the quantity."""

    code = "implausible_weight"
    title = Text(
        "Berat tidak masuk akal untuk jumlah ini. Isi dalam gram.",
        "The weight does not fit the quantity. State it in grams.",
    )

    @classmethod
    def at(cls, pointer: str) -> "ImplausibleWeight":
        """Return the problem of the weight at a place in the body."""
        return cls(errors=[FieldError(pointer, cls.code, cls.title)])


means("uq_receipts_shipment_id_order_id", ReceiptExists)
means("uq_disputes_receipt_id", ReceiptDisputed)
