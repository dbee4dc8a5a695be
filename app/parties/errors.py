"""What can go wrong with organisations and keys."""

from app.kit.db import means
from app.kit.problems import Conflict, Forbidden, Unauthenticated
from app.kit.text import Text


class NameTaken(Conflict):
    """409: the hub has an organisation of this name and role."""

    code = "name_taken"
    pointer = "/name"
    title = Text(
        "Sudah ada organisasi dengan nama dan peran ini.", "There is an organisation of this name and role already."
    )


class KeyNotLive(Conflict):
    """409: the key was revoked or has ended."""

    code = "key_not_live"
    title = Text("Kunci ini sudah dicabut atau berakhir.", "This key was revoked or has ended.")


class TooManyKeys(Conflict):
    """409: the organisation holds as many live keys as it may."""

    code = "too_many_keys"
    title = Text(
        "Organisasi ini sudah punya 20 kunci. Cabut satu dulu.",
        "This organisation holds 20 keys already. Revoke one first.",
    )


class Suspended(Forbidden):
    """403: the organisation is suspended."""

    code = "suspended"
    title = Text("Organisasi ini sedang dibekukan. Hubungi hub.", "This organisation is suspended. Ask the hub.")


class LinkNotLive(Unauthenticated):
    """401: the sign-in link was used, is over, or never was."""

    code = "link_not_live"
    title = Text(
        "Tautan masuk ini sudah dipakai atau sudah lewat waktunya. Minta tautan baru kepada hub.",
        "This sign-in link was used or is over. Ask the hub for a new one.",
    )


means("uq_organizations_hub_role_name", NameTaken)
