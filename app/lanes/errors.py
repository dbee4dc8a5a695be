"""What can go wrong with lanes and departures."""

from app.kit.db import means
from app.kit.problems import Conflict, Invalid
from app.kit.text import Text


class LaneCodeTaken(Conflict):
    """409: a lane of this code exists."""

    code = "lane_code_taken"
    title = Text("Kode rute ini sudah dipakai.", "This lane code is taken.")


class DepartureExists(Conflict):
    """409: the lane has a departure on this day."""

    code = "departure_exists"
    title = Text("Rute ini sudah punya jadwal pada hari itu.", "The lane has a departure on that day already.")


class BelowBooked(Conflict):
    """409: a capacity below what is booked."""

    code = "below_booked"
    title = Text(
        "Kapasitas tidak boleh di bawah muatan yang sudah dipesan.", "The capacity must not go below what is booked."
    )


class DepartureDays(Invalid):
    """422: a departure that arrives before it leaves, or closes after it left."""

    code = "departure_days"
    title = Text(
        "arrives_on tidak boleh sebelum departs_on, closes_on tidak boleh sesudahnya.",
        "arrives_on must not be before departs_on, nor closes_on after it.",
    )


class ClosureDays(Invalid):
    """422: a closure that ends before it begins, or spans more than a year."""

    code = "closure_days"
    title = Text(
        "until tidak boleh sebelum from, dan paling lama setahun sesudahnya.",
        "until must not be before from, and at most a year after it.",
    )


means("uq_lanes_code", LaneCodeTaken)
means("uq_departures_lane_id_departs_on", DepartureExists)
means("ck_departures_booked", BelowBooked)
means("ck_departures_days", DepartureDays)
means("ck_lane_closures_days", ClosureDays)
