"""What can go wrong with webhooks."""

from app.kit.db import means
from app.kit.problems import Conflict, Invalid
from app.kit.text import Text


class EndpointExists(Conflict):
    """409: the organisation has an endpoint with this address."""

    code = "endpoint_exists"
    pointer = "/url"
    title = Text("Alamat ini sudah terdaftar.", "This address is registered already.")


class TooManyEndpoints(Conflict):
    """409: the organisation has as many endpoints as it may."""

    code = "too_many_endpoints"
    title = Text(
        "Organisasi ini sudah punya 10 webhook. Hapus satu dulu.",
        "This organisation has 10 webhook endpoints already. Delete one first.",
    )


class LeadsInside(Invalid):
    """422: the address leads into a network that is not the internet."""

    code = "leads_inside"
    pointer = "/url"
    title = Text("Alamat ini tidak menuju internet.", "This address does not lead to the internet.")


class Unresolvable(Invalid):
    """422: the name of the server is not known."""

    code = "unresolvable"
    pointer = "/url"
    title = Text("Nama server ini tidak ditemukan.", "The name of this server is not found.")


means("uq_webhook_endpoints_organization_id_url", EndpointExists)
