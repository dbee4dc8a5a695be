"""What can go wrong with lanes and departures."""

from app.kit.db import means
from app.kit.problems import Conflict, Invalid
from app.kit.text import Text


class LaneCodeTaken(Conflict):
    """409: a lane of this code exists."""

    code = "lane_code_taken"
    pointer = "/code"
    title = Text("Kode rute ini sudah dipakai.", "This lane code is taken.")


class DepartureExists(Conflict):
    """409: the lane has a departure on this day."""

    code = "departure_exists"
    pointer = "/departs_on"
    title = Text("Rute ini sudah punya jadwal pada hari itu.", "The lane has a departure on that day already.")


class BelowBooked(Conflict):
    """409: a capacity below what is booked."""

    code = "below_booked"
    pointer = "/capacity_kg"
    title = Text(
        "Kapasitas tidak boleh di bawah muatan yang sudah dipesan.", "The capacity must not go below what is booked."
    )


class ArrivesEarly(Invalid):
    """422: a departure that arrives before it leaves."""

    code = "arrives_early"
    pointer = "/arrives_on"
    title = Text("arrives_on tidak boleh sebelum departs_on.", "arrives_on must not be before departs_on.")


class ClosesLate(Invalid):
    """422: a departure that closes after it left."""

    code = "closes_late"
    pointer = "/closes_on"
    title = Text("closes_on tidak boleh sesudah departs_on.", "closes_on must not be after departs_on.")


class ClosureDays(Invalid):
    """422: a closure that ends before it begins, or spans more than a year."""

    code = "closure_days"
    pointer = "/until"
    title = Text(
        "until tidak boleh sebelum from, dan paling lama setahun sesudahnya.",
        "until must not be before from, and at most a year after it.",
    )


means("uq_lanes_code", LaneCodeTaken)
means("uq_departures_lane_id_departs_on", DepartureExists)
means("ck_departures_booked", BelowBooked)
means("ck_lane_closures_days", ClosureDays)
